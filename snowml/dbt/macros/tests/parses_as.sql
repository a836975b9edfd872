{% test parses_as(model, column_name, type) %}
{%- set types = {
  'number': 'double', 'whole number': 'bigint', 'date': 'date', 'timestamp': 'timestamp', 'boolean': 'boolean',
} %}
{{ snowml._require(type in types, 'parses_as',
  "needs a type: " ~ types | join(', ') ~ "; and not '" ~ type ~ "'.") }}
{%- set digits = snowml.matches_whole('cast(' ~ column_name ~ ' as varchar)', ' *[+-]?[0-9]+ *') %}

select {{ column_name }}, count(*) as rows_with_it
from {{ model }}
where
    {{ column_name }} is not null
    and (
        try_cast(cast({{ column_name }} as varchar) as {{ types[type] }}) is null
        {%- if type == 'whole number' %}
        -- An engine may round 1.5 rather than refuse it.
        or not {{ digits }}
        {%- elif type in ['date', 'timestamp'] %}
        -- An engine may take digits alone for seconds since 1970.
        or {{ digits }}
        {%- endif %}
    )
group by {{ column_name }}

{% endtest %}

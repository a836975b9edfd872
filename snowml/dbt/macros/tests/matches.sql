{% test matches(model, column_name, pattern) %}
{{ snowml._require(pattern is string and pattern | length > 0, 'matches',
  "needs a regular expression that the whole text matches, such as pattern: '[A-Z]{3}'.") }}

select {{ column_name }}
from {{ model }}
where not {{ snowml.matches_whole(column_name, pattern) }}

{% endtest %}


{# True where the whole of the text matches: DuckDB and Snowflake differ in which function means that. #}
{% macro matches_whole(expression, pattern) %}
  {{- return(adapter.dispatch('matches_whole', 'snowml')(expression, pattern | replace("'", "''"))) -}}
{% endmacro %}


{% macro default__matches_whole(expression, pattern) -%}
  regexp_full_match({{ expression }}, '{{ pattern }}')
{%- endmacro %}


{# Dollar quotes, since Snowflake takes a backslash within quotes for an escape. #}
{% macro snowflake__matches_whole(expression, pattern) -%}
  regexp_like({{ expression }}, $${{ pattern | replace("''", "'") }}$$)
{%- endmacro %}

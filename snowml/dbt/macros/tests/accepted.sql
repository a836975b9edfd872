{% test accepted(model, column_name, values, other_at_most=0) %}
{{ snowml._require(values is iterable and values is not string and values | length > 0, 'accepted',
  "needs a list of values, such as values: [north, south].") }}
{{ snowml._require(other_at_most is number and 0 <= other_at_most < 1, 'accepted',
  "needs a ratio from 0 to below 1, such as other_at_most: 0.01, and not '" ~ other_at_most ~ "'.") }}
{%- set texts = [] %}
{%- for value in values %}
  {%- do texts.append("'" ~ value | string | replace("'", "''") ~ "'" if value is string else value | string | lower) %}
{%- endfor %}

select *
from (
    select
        {{ column_name }} as other_value,
        count(*) as rows_with_it,
        sum(count(*)) over () as rows_with_others,
        max(rows_in_all) as rows_in_all
    from {{ model }}
    cross join (select count({{ column_name }}) as rows_in_all from {{ model }}) as counted
    where {{ column_name }} not in ({{ texts | join(', ') }})
    group by {{ column_name }}
) as others
where rows_with_others > {{ other_at_most }} * rows_in_all

{% endtest %}

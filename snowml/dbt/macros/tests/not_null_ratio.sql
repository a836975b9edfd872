{% test not_null_ratio(model, column_name, at_least) %}
{{ snowml._require(at_least is number and 0 < at_least <= 1, 'not_null_ratio',
  "needs a ratio above 0 and up to 1, such as at_least: 0.95, and not '" ~ at_least ~ "'.") }}

select rows_in_all, rows_with_value
from (
    select count(*) as rows_in_all, count({{ column_name }}) as rows_with_value
    from {{ model }}
) as counted
where rows_with_value < {{ at_least }} * rows_in_all

{% endtest %}

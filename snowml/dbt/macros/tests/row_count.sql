{% test row_count(model, at_least=none, at_most=none) %}
{{ snowml._require(at_least is not none or at_most is not none, 'row_count',
  "needs at_least, at_most or both, such as at_least: 1.") }}

select rows_in_all
from (select count(*) as rows_in_all from {{ model }}) as counted
where
    false
    {%- if at_least is not none %}
    or rows_in_all < {{ at_least }}
    {%- endif %}
    {%- if at_most is not none %}
    or rows_in_all > {{ at_most }}
    {%- endif %}

{% endtest %}

{% test holds(model, expression, column_name=none) %}
{{ snowml._require(expression is string and expression | trim | length > 0, 'holds',
  "needs a SQL condition that is true of each row, such as expression: shipped_at >= ordered_at.") }}

select *
from {{ model }}
where not ({{ expression }})

{% endtest %}

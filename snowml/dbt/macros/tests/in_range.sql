{% test in_range(model, column_name, min=none, max=none) %}
{{ snowml._require(min is not none or max is not none, 'in_range',
  "needs min, max or both (both ends belong to the range), such as min: 0.") }}

select {{ column_name }}
from {{ model }}
where
    false
    {%- if min is not none %}
    or {{ column_name }} < {{ min }}
    {%- endif %}
    {%- if max is not none %}
    or {{ column_name }} > {{ max }}
    {%- endif %}

{% endtest %}

{% test no_nan(model) %}
{#- Looked up in the warehouse: a new feature is covered without anybody remembering it. -#}
{%- set doubles = snowml._columns(model) | selectattr('is_float') | list -%}

select *
from {{ model }}
where
    false
    {%- for column in doubles %}
    or {{ adapter.quote(column.name) }} in (cast('nan' as double), cast('inf' as double), cast('-inf' as double))
    {%- endfor %}

{% endtest %}

{% test no_nan(model) %}
{#- Columns are looked up in the warehouse: a new feature is covered without anybody remembering it. -#}
{%- set doubles = [] -%}
{%- if execute -%}
  {%- for column in adapter.get_columns_in_relation(load_relation(model) or model) if column.is_float() -%}
    {%- do doubles.append(adapter.quote(column.name)) -%}
  {%- endfor -%}
{%- endif %}

select *
from {{ model }}
where
    false
    {%- for column in doubles %}
    or {{ column }} in (cast('nan' as double), cast('inf' as double), cast('-inf' as double))
    {%- endfor %}

{% endtest %}

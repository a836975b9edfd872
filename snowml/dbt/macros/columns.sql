{# The columns of a relation as the warehouse has them: name, data_type, is_float. None without a warehouse to ask. #}
{% macro _columns(relation) -%}
  {%- set columns = [] -%}
  {%- if execute and flags.INTROSPECT -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
      {%- do columns.append({'name': column.name, 'data_type': column.data_type, 'is_float': column.is_float()}) -%}
    {%- endfor -%}
  {%- endif -%}
  {{- return(columns) -}}
{%- endmacro %}

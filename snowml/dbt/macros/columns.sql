{# The columns of a relation as the warehouse has them: name, data_type, is_float. None without a warehouse to ask. #}
{% macro _columns(relation) -%}
  {%- set columns = [] -%}
  {%- if execute and flags.INTROSPECT -%}
    {%- for column in adapter.get_columns_in_relation(snowml._tested_relation() if relation is string else relation) -%}
      {%- do columns.append({'name': column.name, 'data_type': column.data_type, 'is_float': column.is_float()}) -%}
    {%- endfor -%}
  {%- endif -%}
  {{- return(columns) -}}
{%- endmacro %}


{# What a generic test stands on: with a `where`, dbt hands it a query in the relation's place. A source is not told. #}
{% macro _tested_relation() -%}
  {%- set source = model.depends_on.nodes | select('in', graph.sources) | first -%}
  {%- set node = graph.nodes[model.attached_node] if model.attached_node else graph.sources[source] -%}
  {{ return(adapter.get_relation(node.database, node.schema, node.alias or node.identifier)) }}
{%- endmacro %}

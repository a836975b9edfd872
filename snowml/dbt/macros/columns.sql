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


{# Column → family of its type, by bare names. #}
{% macro _families(relation) -%}
  {%- set families = {} -%}
  {%- for column in snowml._columns(relation) -%}
    {%- do families.update({snowml._bare(column.name): snowml._type_family(column.data_type)}) -%}
  {%- endfor -%}
  {{ return(families) }}
{%- endmacro %}


{# number, text, boolean, date or timestamp, whatever the engine calls it; else its own name in lower case. #}
{% macro _type_family(type) -%}
  {%- set name = type | lower -%}
  {%- for family, beginnings in {
    'boolean': ['bool'],
    'date': ['date'],
    'timestamp': ['timestamp', 'datetime'],
    'text': ['varchar', 'text', 'string', 'char', 'bpchar', 'nvarchar', 'enum'],
    'number': [
      'tinyint', 'smallint', 'int', 'bigint', 'hugeint', 'byteint', 'utinyint', 'usmallint', 'uint', 'ubigint', 'uhugeint',
      'decimal', 'numeric', 'number', 'decfloat', 'float', 'real', 'double',
    ],
  }.items() -%}
    {%- for beginning in beginnings if name.startswith(beginning) and not (family == 'number' and name.startswith('interval'))
      and not (family == 'date' and name.startswith('datetime')) -%}
      {{ return(family) }}
    {%- endfor -%}
  {%- endfor -%}
  {{ return(name) }}
{%- endmacro %}


{# A column's name without quotes and case, to compare it by. #}
{% macro _bare(column) -%}
  {{ return(column | replace('"', '') | lower) }}
{%- endmacro %}


{# A column or a list of them as a list. #}
{% macro _listed(columns) -%}
  {{ return([columns] if columns is string else columns | list) }}
{%- endmacro %}


{# Stops where two columns would have one name: an engine may rename the second, or refuse it. #}
{% macro _require_distinct(columns) -%}
  {%- set names = [] -%}
  {%- for column in columns -%}
    {%- if snowml._bare(column) in names -%}
      {{ exceptions.raise_compiler_error(
        model.name ~ ' would have two columns called ' ~ column ~ '. Give one of them another name.') }}
    {%- endif -%}
    {%- do names.append(snowml._bare(column)) -%}
  {%- endfor -%}
{%- endmacro %}

{% test has_columns(model, columns, only=false) %}
{#- Fails with a row for each column that is missing, of another family of types or, with `only`, not expected. -#}
{{- snowml._require(columns is mapping and columns | length > 0, 'has_columns',
  "needs columns and their types, such as columns: {customer: text, spend: number}.") -}}
{%- for name, family in columns.items() -%}
  {{- snowml._require(family in ['number', 'text', 'boolean', 'date', 'timestamp'], 'has_columns',
    "knows the types number, text, boolean, date and timestamp, and not '" ~ family ~ "' (" ~ name ~ ").") -}}
{%- endfor -%}
{%- set wrong, found = [], {} -%}
{%- for column in snowml._columns(model) -%}
  {%- do found.update({column.name | lower: snowml._type_family(column.data_type)}) -%}
{%- endfor -%}
{%- for name, family in columns.items() if found.get(name | lower, 'missing') != family -%}
  {%- do wrong.append((name, family, found.get(name | lower, 'missing'))) -%}
{%- endfor -%}
{%- for name, family in found.items() if only and name not in columns.keys() | map('lower') -%}
  {%- do wrong.append((name, 'nothing', family)) -%}
{%- endfor -%}

{%- for name, expected, found_type in (wrong if flags.INTROSPECT else []) %}
select '{{ name }}' as in_column, '{{ expected }}' as expected, '{{ found_type | replace("'", "''") }}' as found
{{ 'union all' if not loop.last }}
{%- else %}
select '' as in_column, '' as expected, '' as found where false
{%- endfor %}

{% endtest %}


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

{% test has_columns(model, columns, only=false) %}
{#- Fails with a row for each column that is missing, of another family of types or, with `only`, not expected. -#}
{{- snowml._require(columns is mapping and columns | length > 0, 'has_columns',
  "needs columns and their types, such as columns: {customer: text, spend: number}.") -}}
{%- for name, family in columns.items() -%}
  {{- snowml._require(family in ['number', 'text', 'boolean', 'date', 'timestamp'], 'has_columns',
    "knows the types number, text, boolean, date and timestamp, and not '" ~ family ~ "' (" ~ name ~ ").") -}}
{%- endfor -%}
{%- set wrong, found = [], snowml._families(model) -%}
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

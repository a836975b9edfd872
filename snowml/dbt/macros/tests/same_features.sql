{% test same_features(model, as, apart_from=[]) %}
{#- Fails with a row for each column that only one of the two has, or that stands elsewhere or has another type. -#}
{{- snowml._require(as is not string, 'same_features',
  "needs a relation, such as as: ref('my_training_set'), and not a text.") -}}
{%- set apart = apart_from | map('lower') | list -%}
{%- set here, there = [], [] -%}
{%- for relation, columns in [(model, here), (as, there)] -%}
  {%- for column in snowml._columns(relation) if column.name | lower not in apart -%}
    {%- do columns.append(column.name | lower ~ ' ' ~ column.data_type | lower) -%}
  {%- endfor -%}
{%- endfor -%}
{%- set differences = [] -%}
{%- for position in range([here | length, there | length] | max) if here[position] != there[position] -%}
  {%- do differences.append((position + 1, here[position] or 'nothing', there[position] or 'nothing')) -%}
{%- endfor -%}

{%- for position, ours, theirs in differences %}
select {{ position }} as position, '{{ ours }}' as in_this, '{{ theirs }}' as in_the_other
{{ 'union all' if not loop.last }}
{%- else %}
select 0 as position, '' as in_this, '' as in_the_other where false
{%- endfor %}

{% endtest %}

{#
  Joins to each row of `left` the newest row of `right` that was known by then, or NULLs: the engines have the same
  join in different words. Stands in place of a `from` clause; both arguments are names of common table expressions.
  `right` may hold one row for each `by` and `right_time`, or the choice among equals is the engine's.

      {{ snowml.asof_join('orders', 'prices', by='product', left_time='as_of', right_time='known_at') }}
#}
{% macro asof_join(left, right, by, left_time, right_time) %}
  {%- set keys = [by] if by is string else by -%}
  {{- return(adapter.dispatch('asof_join', 'snowml')(left, right, keys, left_time, right_time)) -}}
{% endmacro %}


{% macro default__asof_join(left, right, by, left_time, right_time) -%}
  from {{ left }}
  asof left join {{ right }}
    on {{ snowml._equal_keys(left, right, by) }}
    and {{ left }}.{{ left_time }} >= {{ right }}.{{ right_time }}
{%- endmacro %}


{% macro snowflake__asof_join(left, right, by, left_time, right_time) -%}
  from {{ left }}
  asof join {{ right }}
    match_condition ({{ left }}.{{ left_time }} >= {{ right }}.{{ right_time }})
    on {{ snowml._equal_keys(left, right, by) }}
{%- endmacro %}


{% macro _equal_keys(left, right, by) -%}
  {%- for key in by -%}
    {{ left }}.{{ key }} = {{ right }}.{{ key }}{{ ' and ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

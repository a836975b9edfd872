{#
  For each question of a spine, the newest row of each history that was known when it was asked; NULLs where none was.

      {{ snowml.point_in_time_join(
          spine=ref('visits'),
          histories=[
              {'from': ref('prices'), 'by': 'product', 'columns': ['price', 'currency'], 'max_age': '7 days'},
              {'from': ref('ratings'), 'by': {'product': 'sku'}, 'columns': {'rating_mean': 'mean'}, 'lag': '1 hour'},
          ]
      ) }}

  Arguments:
    spine: a relation that declares `entity` and `as_of`.
    histories: of each `from` (a relation that declares `known_at`), `by` (columns, or the spine's column → the
      history's), `columns` (names, or new name → expression), and if need be `max_age` (older than that is not known
      any more), `lag` (counts as known that much later) and `newest_by` (a column of which the greatest wins among rows
      of one key and moment; without it there may be only one such row, or the choice is the engine's).
    keep: further columns of the spine to hand on.
    exclusive: leave out what became known exactly at as_of.
    entity, as_of: in place of what the spine declares.

  In an increment a history with a max_age is read only as far back as that.
#}
{% macro point_in_time_join(spine, histories, keep=[], exclusive=false, entity=none, as_of=none) -%}
  {%- if not execute -%}
    {{ return(snowml._not_yet()) }}
  {%- endif -%}
  {%- set spine = snowml._spine(spine, entity, as_of, keep, 'point_in_time_join') -%}
  {%- set found = [] -%}
  {%- for given in histories -%}
    {%- do found.append(snowml._joined_history(given)) -%}
  {%- endfor -%}
  {%- set names = (spine.entity + spine.keep) | unique | list + [spine.as_of] -%}
  {%- for history in found -%}
    {%- do names.extend(history.columns) -%}
  {%- endfor -%}
  {%- do snowml._require_distinct(names) -%}
  {%- set start = snowml._increment_start() -%}
  {{ return(snowml._joined(spine, found, exclusive, start)) }}
{%- endmacro %}


{# The history with its `columns` as new name → expression, and `max_age` as SQL. #}
{% macro _joined_history(given) -%}
  {%- set history = snowml._history(given, 'point_in_time_join', ['columns', 'max_age', 'newest_by']) -%}
  {%- if not history.columns -%}
    {{ exceptions.raise_compiler_error("point_in_time_join: the history " ~ history.name ~ " has no columns.") }}
  {%- endif -%}
  {%- set columns = {} -%}
  {%- if history.columns is mapping -%}
    {%- do columns.update(history.columns) -%}
  {%- else -%}
    {%- for column in snowml._listed(history.columns) -%}
      {%- do columns.update({column: 'facts.' ~ column}) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- do history.update({
    'columns': columns,
    'max_age': snowml._interval(history.max_age, 'point_in_time_join: the max_age') if history.max_age else none,
  }) -%}
  {{ return(history) }}
{%- endmacro %}


{# The rows of a history that can be the newest of a question: keys under the spine's names, when known, columns. #}
{% macro _joinable_facts(history, start) %}
    select
      {%- for key, column in history.by.items() %}
      facts.{{ column }} as {{ key }},
      {%- endfor %}
      {{ history.moment }} as snowml_known_at,
      {%- for name, expression in history.columns.items() %}
      {{ expression }} as {{ name }}{{ ',' if not loop.last }}
      {%- endfor %}
    {{- snowml._facts_that_matter(history, start, history.max_age) }}
    {%- if history.newest_by %}
    qualify row_number() over (
      partition by {% for column in history.by.values() %}facts.{{ column }}, {% endfor %}{{ history.moment }}
      order by facts.{{ history.newest_by }} desc nulls last
    ) = 1
    {%- endif %}
{%- endmacro %}


{% macro _joined(spine, histories, exclusive, start) -%}
  {%- set own = (spine.entity + spine.keep) | unique | list -%}
  {%- set carried = snowml._carried(spine, histories) %}
select
  {%- for column in own %}
  asked.{{ column }},
  {%- endfor %}
  asked.{{ spine.as_of }}
  {%- for history in histories -%}
    {%- set alias = 'history_' ~ loop.index -%}
    {%- for name in history.columns -%}
  ,
  {% if history.max_age -%}
  case when {{ alias }}.snowml_known_at >= asked.{{ spine.as_of }} - {{ history.max_age }} then {{ alias }}.{{ name }} end as {{ name }}
  {%- else -%}
  {{ alias }}.{{ name }}
  {%- endif -%}
    {%- endfor -%}
  {%- endfor %}
from ({{ snowml._questions(spine, carried, start) }}
) as asked
  {%- for history in histories %}
{{ snowml._asof_join(
    '(' ~ snowml._joinable_facts(history, start) ~ '\n) as history_' ~ loop.index,
    'asked.' ~ spine.as_of ~ (' > ' if exclusive else ' >= ') ~ 'history_' ~ loop.index ~ '.snowml_known_at',
    snowml._same_keys('asked', 'history_' ~ loop.index, history.by.keys())
  ) }}
  {%- endfor %}
{%- endmacro %}


{% macro _same_keys(left, right, keys) -%}
  {%- for key in keys -%}
    {{ left }}.{{ key }} = {{ right }}.{{ key }}{{ ' and ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}


{# The engines have the same join in different words. #}
{% macro _asof_join(right, condition, keys) -%}
  {{ return(adapter.dispatch('_asof_join', 'snowml')(right, condition, keys)) }}
{%- endmacro %}


{% macro default___asof_join(right, condition, keys) -%}
asof left join {{ right }}
  on {{ keys }} and {{ condition }}
{%- endmacro %}


{# Fills with NULLs, as a left join. #}
{% macro snowflake___asof_join(right, condition, keys) -%}
asof join {{ right }}
  match_condition ({{ condition }})
  on {{ keys }}
{%- endmacro %}

{#
  A spine: the questions. One row for each entity and moment `as_of` for which features are wanted. Feature macros answer
  those that were asked by now (the var `as_of`), since before its moment a question has no answer.
#}
{% macro _spine(relation, entity, as_of, keep, macro) -%}
  {%- set spine = {
    'relation': relation,
    'name': snowml._plain_name(relation),
    'entity': snowml._listed(snowml._declaration(relation, 'entity', entity, macro)),
    'as_of': snowml._declaration(relation, 'as_of', as_of, macro),
    'keep': snowml._listed(keep),
  } -%}
  {%- do snowml._require_moments(relation, [spine.as_of], macro) -%}
  {{ return(spine) }}
{%- endmacro %}


{# The questions to answer, with the columns that are wanted of them. #}
{% macro _questions(spine, columns, start) %}
    select
      {%- for column in columns %}
      {{ column }},
      {%- endfor %}
      {{ spine.as_of }}
    from (select * from {{ spine.relation }}) as spine
    where {{ snowml._asked(spine.as_of, start) }}
{%- endmacro %}


{# The spine's columns that are handed on or joined by. #}
{% macro _carried(spine, histories) -%}
  {%- set columns = spine.entity + spine.keep -%}
  {%- for history in histories -%}
    {%- do columns.extend(history.by) -%}
  {%- endfor -%}
  {{ return(columns | unique | list) }}
{%- endmacro %}


{#
  A history as a feature macro's call gives it, completed by what its model declares:

      {'from': ref('readings'), 'by': 'machine', …}

  Returns `relation`, `name`, `by` (the spine's column → the history's), `moment` (SQL: when a row counts as known) and the
  rest as it was given.
#}
{% macro _history(given, macro, keys) -%}
  {%- for key in given if key not in ['from', 'by', 'known_at', 'arrived_at', 'lag'] + keys -%}
    {{ exceptions.raise_compiler_error(
      macro ~ ": a history has a key '" ~ key ~ "'; it may have from, by, known_at, arrived_at, lag, " ~ keys | join(', ') ~ '.') }}
  {%- endfor -%}
  {%- if not given['from'] or not given.by -%}
    {{ exceptions.raise_compiler_error(
      macro ~ ": a history needs from (a relation) and by (the columns that it shares with the spine), and has "
      ~ given.keys() | join(', ') ~ '.') }}
  {%- endif -%}
  {%- set relation = given['from'] -%}
  {%- set known_at = snowml._declaration(relation, 'known_at', given.get('known_at'), macro) -%}
  {%- set arrived = snowml._declaration(relation, 'arrived_at', given.get('arrived_at'), macro, default='') -%}
  {%- do snowml._require_moments(relation, [known_at, arrived], macro) -%}
  {%- set moment = 'facts.' ~ known_at -%}
  {%- if arrived -%}
    {%- set moment = 'case when facts.' ~ arrived ~ ' > ' ~ moment ~ ' then facts.' ~ arrived ~ ' else ' ~ moment ~ ' end' -%}
  {%- endif -%}
  {%- if given.lag -%}
    {%- set moment = moment ~ ' + ' ~ snowml._interval(given.lag, macro ~ ': the lag') -%}
  {%- endif -%}
  {%- set by = {} -%}
  {%- if given.by is mapping -%}
    {%- do by.update(given.by) -%}
  {%- else -%}
    {%- for column in snowml._listed(given.by) -%}
      {%- do by.update({column: column}) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- set history = dict(given) -%}
  {%- do history.update({
    'relation': relation,
    'name': snowml._plain_name(relation),
    'by': by,
    'moment': moment,
  }) -%}
  {{ return(history) }}
{%- endmacro %}


{#
  Which facts of a history can matter: those known by now and, in an increment, not longer before it than any feature
  looks back. A fact without a key belongs to nothing.
#}
{% macro _facts_that_matter(history, start, reach) %}
    from (select * from {{ history.relation }}) as facts
    where
      {{ history.moment }} <= {{ snowml.as_of() }}
      {%- if start and reach %}
      and {{ history.moment }} >= {{ start }} - {{ reach }}
      {%- endif %}
      {%- for column in history.by.values() %}
      and facts.{{ column }} is not null
      {%- endfor %}
{%- endmacro %}

{#
  Stops a build that would join features which end before the questions do: a feature table holds answers up to the
  moment it was built for, and a set of a later moment would have NULLs for all that was asked since. Looks at the
  newest row of each, so that it costs one small query.
#}
{% macro _require_answers(spine, features, remedy) -%}
  {%- set tables = snowml._stored(features) -%}
  {%- if not snowml._is_stored(spine.relation) or not tables -%}
    {{ return('') }}
  {%- endif -%}
  {%- set query -%}
    select
      {{ snowml._moment_text('asked.newest') }} as newest_question,
      answers.name,
      {{ snowml._moment_text('answers.newest') }} as newest_answer
    from (select max({{ spine.as_of }}) as newest from ({{ snowml._questions(spine, [], none) }}) as questions) as asked
    cross join (
      {%- for table in tables %}
      select {{ loop.index0 }} as place, '{{ snowml._plain_name(table) }}' as name, max({{ spine.as_of }}) as newest
      from {{ table }}
      {{ 'union all' if not loop.last }}
      {%- endfor %}
    ) as answers
    where asked.newest is not null and coalesce(answers.newest < asked.newest, true)
    order by answers.place
  {%- endset -%}
  {%- set behind = [] -%}
  {%- set newest = namespace(question='') -%}
  {%- for question, name, answer in run_query(query).rows -%}
    {%- set newest.question = question -%}
    {%- do behind.append(name ~ ' (' ~ (snowml._to_the_second(answer) if answer else 'no rows') ~ ')') -%}
  {%- endfor -%}
  {%- if behind -%}
    {{ exceptions.raise_compiler_error(
      model.name ~ ' would have no features for its newest rows. As of ' ~ snowml.as_of_text() ~ ', ' ~ spine.name
      ~ ' has questions up to ' ~ snowml._to_the_second(newest.question) ~ ', and these feature tables end before: '
      ~ behind | join(', ') ~ '. Build them for the same moment, with all that it is made of: -s +' ~ model.name ~ remedy
      ~ '. A feature table that is written out needs a row for each question.') }}
  {%- endif -%}
{%- endmacro %}


{# A moment's text without the microseconds that it has not. #}
{% macro _to_the_second(text) -%}
  {{ return(text[:-7] if text.endswith('.000000') else text) }}
{%- endmacro %}


{# Of several relations those that the warehouse knows. #}
{% macro _stored(relations) -%}
  {%- set stored = [] -%}
  {%- for relation in relations if snowml._is_stored(relation) -%}
    {%- do stored.append(relation) -%}
  {%- endfor -%}
  {{ return(stored) }}
{%- endmacro %}


{# The columns that feature tables have side by side: the spine's own, then theirs. #}
{% macro _joined_columns(spine, features) -%}
  {%- set keys = (spine.entity + [spine.as_of]) | map('replace', '"', '') | map('lower') | list -%}
  {%- set columns = (spine.entity + spine.keep) | unique | list + [spine.as_of] -%}
  {%- for table in snowml._stored(features) -%}
    {%- for column in snowml._columns(table) if snowml._bare(column.name) not in keys -%}
      {%- do columns.append(column.name) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{ return(columns) }}
{%- endmacro %}

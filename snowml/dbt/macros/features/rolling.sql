{#
  For each question of a spine, what its histories came to in the time before it.

      {{ snowml.rolling(
          spine=ref('visits'),
          histories=[
              {'from': ref('orders'), 'by': 'customer', 'features': {
                  'orders_7d': 'count(*) over 7 days',
                  'mean_basket_28d': 'mean(amount) over 28 days',
                  'return_rate_28d': 'rate(was_returned) over 28 days',
              }},
          ]
      ) }}

  A feature is `count`, `sum`, `mean`, `rate` (the share of rows for which a condition is true), `min`, `max` or
  `distinct` of an expression over the history's columns, in an interval that ends at as_of. Both ends belong to it:
  known_at = as_of counts, and so does known_at = as_of less the interval. Where nothing was known, `count` and
  `distinct` are 0 and the others NULL. All are doubles, but for `min` and `max`, which keep their type.

  Sums and means of whole numbers and decimals are exact, so that every build gives the same bits; of doubles they may
  differ in the last digits. Cast money and the like to a decimal.

  Arguments:
    spine: a relation that declares `entity` and `as_of`.
    histories: of each `from` (a relation that declares `known_at`), `by` (columns, or the spine's column → the
      history's), `features`, and if need be `lag` (counts as known that much later).
    keep: further columns of the spine to hand on.
    exclusive: leave out what became known exactly at as_of. Where facts and questions are the same rows, this is
      what keeps a row from seeing itself, and those of its moment.
    entity, as_of: in place of what the spine declares.

  A question whose key is NULL has no history. The plan is one time line of facts and questions under `range` windows:
  time n log n, whatever the intervals.
#}
{% macro rolling(spine, histories, keep=[], exclusive=false, entity=none, as_of=none) -%}
  {%- if not execute -%}
    {{ return(snowml._not_yet()) }}
  {%- endif -%}
  {%- set spine = snowml._spine(spine, entity, as_of, keep, 'rolling') -%}
  {%- set start = snowml._increment_start() -%}
  {%- set plan = snowml._rolling_plan(histories, exclusive) -%}
  {%- do snowml._require_distinct((spine.entity + spine.keep) | unique | list + [spine.as_of] + plan.names) -%}
  {%- set carried = snowml._carried(spine, plan.histories) %}
select
  {%- for column in (spine.entity + spine.keep) | unique %}
  looked_back.{{ column }},
  {%- endfor %}
  looked_back.snowml_moment as {{ spine.as_of }},
  {%- for name, expression in plan.features.items() %}
  {{ expression }} as {{ name }}{{ ',' if not loop.last }}
  {%- endfor %}
from (
  select
    time_line.*,
    {%- for aggregate, name in plan.aggregates.items() %}
    {{ aggregate }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
  from (
    -- Questions at the moment they are asked: they add to no sum, since their numbers are NULL.
    select
      {%- for column in carried %}
      asked.{{ column }},
      {%- endfor %}
      asked.{{ spine.as_of }} as snowml_moment,
      {%- for input in plan.inputs.values() %}
      null as {{ input.name }},
      {%- endfor %}
      1 as snowml_asked
    from ({{ snowml._questions(spine, carried, start) }}
    ) as asked
    {%- for history in plan.histories %}
    {{ snowml._facts_on_time_line(history, carried, plan.inputs, start, exclusive) }}
    {%- endfor %}
  ) as time_line
) as looked_back
where looked_back.snowml_asked = 1
{%- endmacro %}


{#
  What the query needs: `histories`, the `inputs` of the time line, the window `aggregates` (SQL → name, so that each is
  computed once) and the `features` made of those (name → SQL); `names` are theirs, also where two are one.
#}
{% macro _rolling_plan(histories, exclusive) -%}
  {%- set plan = {'histories': [], 'inputs': {}, 'aggregates': {}, 'features': {}, 'names': []} -%}
  {%- for given in histories -%}
    {%- set history = snowml._history(given, 'rolling', ['features']) -%}
    {%- set place = loop.index -%}
    {%- set intervals = [] -%}
    {%- do history.update({'place': place}) -%}
    {%- for name, text in (history.features or {}).items() -%}
      {%- set feature = snowml._rolling_feature(name, text) -%}
      {%- do intervals.append(feature.over) -%}
      {%- do plan.names.append(name) -%}
      {%- do plan.features.update({name: snowml._rolling_expression(plan, history, feature, exclusive)}) -%}
    {%- else -%}
      {{ exceptions.raise_compiler_error("rolling: the history " ~ history.name ~ " has no features.") }}
    {%- endfor -%}
    {%- do history.update({'reach': snowml._interval(snowml._longest(intervals), 'rolling')}) -%}
    {%- do plan.histories.append(history) -%}
  {%- endfor -%}
  {{ return(plan) }}
{%- endmacro %}


{% macro _rolling_feature(name, text) -%}
  {%- set found = modules.re.match(
    '(?is)^\\s*(count|sum|mean|rate|min|max|distinct)\\s*\\((.+)\\)\\s+over\\s+(.+?)\\s*$', text | string) -%}
  {%- if not found -%}
    {{ exceptions.raise_compiler_error(
      "rolling: the feature " ~ name ~ " is '" ~ text ~ "'; write count, sum, mean, rate, min, max or distinct of an "
      ~ "expression over an interval, such as 'mean(amount) over 28 days'.") }}
  {%- endif -%}
  {%- do snowml._interval(found.group(3), 'rolling: the interval of ' ~ name) -%}
  {{ return({'kind': found.group(1) | lower, 'expression': found.group(2).strip(), 'over': found.group(3)}) }}
{%- endmacro %}


{# The feature in terms of window aggregates, which are added to the plan with their inputs. #}
{% macro _rolling_expression(plan, history, feature, exclusive) -%}
  {%- set kind, value = feature.kind, feature.expression -%}
  {%- if kind == 'rate' -%}
    {%- set value = 'case when ' ~ value ~ ' then 1 when not (' ~ value ~ ') then 0 end' -%}
  {%- elif kind == 'count' and value == '*' -%}
    {%- set value = '1' -%}
  {%- endif -%}
  {%- set input = snowml._rolling_input(plan, history, value, feature.over if kind == 'distinct' else none) -%}
  {%- set keys = history.by.keys() | list -%}
  {%- set window = snowml._window(keys, feature.over if kind != 'distinct' else none, exclusive) -%}
  {%- set parts = {} -%}
  {%- for aggregate in {
    'count': ['count'], 'sum': ['sum'], 'mean': ['sum', 'count'], 'rate': ['sum', 'count'], 'min': ['min'], 'max': ['max'],
    'distinct': ['sum'],
  }[kind] -%}
    {%- set text = aggregate ~ '(time_line.' ~ input ~ ') ' ~ window -%}
    {%- if text not in plan.aggregates -%}
      {%- do plan.aggregates.update({text: 'snowml_window_' ~ (plan.aggregates | length + 1)}) -%}
    {%- endif -%}
    {%- do parts.update({aggregate: 'looked_back.' ~ plan.aggregates[text]}) -%}
  {%- endfor -%}
  {%- if kind in ['mean', 'rate'] -%}
    {{ return(snowml.ratio(parts.sum, parts.count)) }}
  {%- elif kind == 'distinct' -%}
    {{ return('cast(coalesce(' ~ parts.sum ~ ', 0) as double)') }}
  {%- elif kind in ['min', 'max'] -%}
    {{ return(parts[kind]) }}
  {%- endif -%}
  {{ return('cast(' ~ parts[kind] ~ ' as double)') }}
{%- endmacro %}


{# The time line's column for an expression; of `distinct` also for its interval, within which values come and go. #}
{% macro _rolling_input(plan, history, value, distinct_over) -%}
  {%- set key = (history.place, value, distinct_over) -%}
  {%- if key not in plan.inputs -%}
    {%- do plan.inputs.update({key: {
      'name': 'snowml_input_' ~ (plan.inputs | length + 1), 'history': history.place, 'value': value, 'distinct': distinct_over,
    }}) -%}
  {%- endif -%}
  {{ return(plan.inputs[key].name) }}
{%- endmacro %}


{#
  `range`, never `rows`: rows of one moment are peers, so what becomes known exactly at as_of counts whichever of the
  two a sort puts first, and the answer does not depend on ties. Without an interval: all of the time before.
#}
{% macro _window(keys, over, exclusive) -%}
  {%- set from = snowml._interval(over, 'rolling') if over else 'unbounded' -%}
  {%- set to = "interval '1 microsecond' preceding" if exclusive else 'current row' -%}
  over (
      partition by {% for key in keys %}time_line.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
      order by time_line.snowml_moment range between {{ from }} preceding and {{ to }}
    )
{%- endmacro %}


{# A history's facts, at the moment they became known. #}
{% macro _facts_on_time_line(history, carried, inputs, start, exclusive) -%}
  {%- set own = inputs.values() | selectattr('history', 'equalto', history.place) | list -%}
  {%- if own | rejectattr('distinct') | list %}
    union all
    select
      {{- snowml._keys_on_time_line(history, carried) }}
      {{ history.moment }} as snowml_moment,
      {%- for input in inputs.values() %}
      {{ input.value if input in own and not input.distinct else 'null' }} as {{ input.name }},
      {%- endfor %}
      0 as snowml_asked
    {{- snowml._facts_that_matter(history, start, history.reach) }}
  {%- endif -%}
  {%- for input in own | selectattr('distinct') -%}
    {{ snowml._distinct_on_time_line(history, carried, inputs, input, start, exclusive) }}
  {%- endfor -%}
{%- endmacro %}


{% macro _keys_on_time_line(history, carried) %}
      {%- for column in carried %}
      {{ 'facts.' ~ history.by[column] if column in history.by else 'null' }} as {{ column }},
      {%- endfor %}
{%- endmacro %}


{#
  Distinct values without a distinct window, which not every engine has: a value enters (+1) when it becomes known, and
  leaves (-1) when it becomes known again or when the interval has passed, whichever is first. The running sum is the
  number of values within.
#}
{% macro _distinct_on_time_line(history, carried, inputs, distinct_input, start, exclusive) -%}
  {%- set gone = 'facts.snowml_moment + ' ~ snowml._interval(distinct_input.distinct, 'rolling') -%}
  {%- if not exclusive -%}
    {%- set gone = gone ~ " + interval '1 microsecond'" -%}
  {%- endif -%}
  {%- for moment, change in [
    ('facts.snowml_moment', 1),
    ('case when facts.snowml_next <= ' ~ gone ~ ' then facts.snowml_next else ' ~ gone ~ ' end', -1),
  ] %}
    union all
    select
      {%- for column in carried %}
      {{ 'facts.' ~ column if column in history.by else 'null' }} as {{ column }},
      {%- endfor %}
      {{ moment }} as snowml_moment,
      {%- for input in inputs.values() %}
      {{ change if input == distinct_input else 'null' }} as {{ input.name }},
      {%- endfor %}
      0 as snowml_asked
    from (
      select
        valued.*,
        lead(valued.snowml_moment) over (
          partition by {% for key in history.by %}valued.{{ key }}, {% endfor %}valued.snowml_value order by valued.snowml_moment
        ) as snowml_next
      from (
        select
          {%- for key, column in history.by.items() %}
          facts.{{ column }} as {{ key }},
          {%- endfor %}
          {{ history.moment }} as snowml_moment,
          {{ distinct_input.value }} as snowml_value
        {{- snowml._facts_that_matter(history, start, history.reach) }}
      ) as valued
      where valued.snowml_value is not null
    ) as facts
  {%- endfor -%}
{%- endmacro %}

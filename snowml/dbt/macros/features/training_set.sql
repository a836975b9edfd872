{#
  Feature tables side by side: for each question of a spine, all their columns.

      {{ snowml.join_features(spine=ref('visits'), features=[ref('order_features'), ref('price_features')]) }}

  Each feature table has the spine's entity and as_of, once each, for every question; its other columns are features. One
  that ends before the questions do stops the build.
#}
{% macro join_features(spine, features, keep=[], entity=none, as_of=none) -%}
  {%- if not execute -%}
    {{ return(snowml._not_yet()) }}
  {%- endif -%}
  {%- set spine = snowml._spine(spine, entity, as_of, keep, 'join_features') -%}
  {%- set start = snowml._increment_start() -%}
  {{ return(snowml._features_of(snowml._questions(spine, spine.entity + spine.keep, start), spine, features, start)) }}
{%- endmacro %}


{% macro _features_of(questions, spine, features, start, remedy='') -%}
  {%- if snowml._is_building() -%}
    {%- do snowml._require_answers(spine, features, remedy) -%}
    {%- do snowml._require_distinct(snowml._joined_columns(spine, features)) -%}
  {%- endif -%}
  {%- set keys = spine.entity + [spine.as_of] %}
select
  asked.*
  {%- for table in features %},
  features_{{ loop.index }}.* exclude ({{ keys | join(', ') }})
  {%- endfor %}
from ({{ questions }}
) as asked
  {%- for table in features %}
left join (
  select * from {{ table }}
    {%- if start %} where {{ spine.as_of }} >= {{ start }}{% endif %}
) as features_{{ loop.index }}
  on {{ snowml._same_keys('asked', 'features_' ~ loop.index, keys) }}
  {%- endfor %}
{%- endmacro %}


{#
  Features and labels: each question of a spine whose label is known by now.

      {{ snowml.training_set(
          spine=ref('visits'),
          features=[ref('visit_features')],
          label={'from': ref('returns'), 'columns': ['was_returned']}
      ) }}

  Gives the entity, as_of, every feature, the label and `label_known_at`.

  Arguments:
    spine: a relation that declares `entity` and `as_of`.
    features: feature tables.
    label: `from` (a relation that declares `entity` and `known_at`, and `as_of` where an entity is asked about more
      than once), `columns` (names, or new name → expression), and if need be `within`, the longest time from as_of to the
      label: an increment then reads no features from before that.

  As an increment it is continued by when labels became known: increment: {by: label_known_at, lookback: …}.
#}
{% macro training_set(spine, features, label, keep=[], entity=none, as_of=none) -%}
  {%- for key in label if key not in ['from', 'columns', 'within', 'entity', 'as_of', 'known_at'] -%}
    {{ exceptions.raise_compiler_error(
      "training_set: the label has a key '" ~ key ~ "'; it may have from, columns, within, entity, as_of, known_at.") }}
  {%- endfor -%}
  {%- if not execute -%}
    {{ return(snowml._not_yet()) }}
  {%- endif -%}
  {%- set spine = snowml._spine(spine, entity, as_of, keep, 'training_set') -%}
  {%- set start = snowml._increment_start() -%}
  {%- set within = snowml._interval(label.within, 'training_set: within') if label.within else none -%}
  {%- set earliest = start ~ ' - ' ~ within if start and within else none -%}
  {%- set known_at = snowml._declaration(label['from'], 'known_at', label.get('known_at'), 'training_set') -%}
  {%- do snowml._require_moments(label['from'], [known_at], 'training_set') -%}
  {%- set names = label.columns.keys() if label.columns is mapping else snowml._listed(label.columns) -%}
  {%- set asked_at = snowml._declaration(label['from'], 'as_of', label.get('as_of'), 'training_set', default='') %}
select
  features.*,
  {%- for name in names %}
  labels.{{ name }},
  {%- endfor %}
  labels.label_known_at
from (
{{- snowml._features_of(snowml._questions(spine, spine.entity + spine.keep, earliest), spine, features, earliest) }}
) as features
inner join (
  select
    {%- for column in spine.entity %}
    facts.{{ column }},
    {%- endfor %}
    {%- if asked_at %}
    facts.{{ asked_at }} as {{ spine.as_of }},
    {%- endif %}
    {%- for name in names %}
    {{ label.columns[name] ~ ' as ' ~ name if label.columns is mapping else 'facts.' ~ name }},
    {%- endfor %}
    facts.{{ known_at }} as label_known_at
  from (select * from {{ label['from'] }}) as facts
  where {{ snowml._asked('facts.' ~ known_at, start) }}
) as labels
  on {{ snowml._same_keys('features', 'labels', spine.entity + ([spine.as_of] if asked_at else [])) }}
{%- endmacro %}


{#
  What to predict: the questions asked in the last `over` before now, with the same features and no label.

      {{ snowml.scoring_set(spine=ref('visits'), features=[ref('visit_features')], over='31 days') }}

  A question of this very moment belongs to the next.
#}
{% macro scoring_set(spine, features, over, keep=[], entity=none, as_of=none) -%}
  {%- if not execute -%}
    {{ return(snowml._not_yet()) }}
  {%- endif -%}
  {%- set spine = snowml._spine(spine, entity, as_of, keep, 'scoring_set') -%}
  {%- set earliest = snowml.as_of() ~ ' - ' ~ snowml._interval(over, 'scoring_set: over') %}
select features.*
from (
{{- snowml._features_of(
  snowml._questions(spine, spine.entity + spine.keep, earliest), spine, features, earliest, ', as snowml predict --upstream does'
) }}
) as features
where features.{{ spine.as_of }} < {{ snowml.as_of() }}
{%- endmacro %}

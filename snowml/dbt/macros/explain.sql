{#
  What each feature contributes to the champion's raw score, on a relation that has the columns it was trained on.

  Gives one row for each row of the relation: the entity's columns, the as-of column, `explanation` (a STRUCT on DuckDB, an
  OBJECT on Snowflake: a number for each feature, and `_base`, which add up to the raw score), `model_version` and
  `predicted_at`. NULL where the prediction is. As with `predict`, the champion is looked up once, its own function is called,
  a row of a later as-of is left out, and what cannot be scored stops the build.
  Without a champion it is an error, with `snowml_untrained: empty` too: the shape of an explanation is the champion's own.

  Arguments:
    model: the name of an exposure of type ml.
    relation: what to explain, such as ref('…_scoring_set').
#}
{% macro explain(model, relation) -%}
  {%- if not execute -%}
    {{ return('select * from ' ~ relation) }}
  {%- endif -%}
  {%- set champion = snowml._champion(model) -%}
  {%- if champion is none -%}
    {{ exceptions.raise_compiler_error(
      model ~ ' has no champion, so nothing can be explained, and what an explanation holds is not known before. '
      ~ 'Promote one: snowml promote ' ~ model ~ '; or build without: dbt build --exclude ' ~ this.identifier) }}
  {%- endif -%}
  {%- do snowml._check_inputs(model, champion, relation) -%}
  {%- do snowml._check_keys(model, champion, relation) -%}
  {{ return(snowml._explanations(model, champion, relation)) }}
{%- endmacro %}


{% macro _explanations(model, champion, relation) -%}
  {%- set keys = snowml._keys(champion.signature) -%}
  {%- set inputs = [] -%}
  {%- for feature in champion.signature.features -%}
    {%- do inputs.append('source.' ~ snowml._quoted(feature.name)) -%}
  {%- endfor %}
select
  {%- for key in keys %}
  source.{{ key }},
  {%- endfor %}
  {{ snowml.function_name('explain_' ~ model ~ '_v' ~ champion.version) }}(
    {{ inputs | join(',\n    ') }}
  ) as explanation,
  cast({{ champion.version }} as bigint) as model_version,
  {{ snowml.as_of() }} as predicted_at
from (select * from {{ relation }}) as source
where source.{{ keys[-1] }} <= {{ snowml.as_of() }}
{%- endmacro %}

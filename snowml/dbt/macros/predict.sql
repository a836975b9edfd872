{#
  Predictions of a model's champion on a relation that has the columns it was trained on.

  Gives one row for each row of the relation: the entity's columns, the as-of column, `prediction`, `score` (the
  probability of the positive class; for a regression the prediction again), `model_version` and `predicted_at`. Of more
  than two classes the score is the probability of the predicted one, and `probabilities` has those of all, by label.
  In an incremental model only rows that this version has not scored yet: the grain is entity, as-of, version. A row whose
  as-of is later than the build's is not scored: its time has not come.

  The champion is looked up once, and its own function is called by name, so that a promotion in the middle of a build
  changes nothing. Stops before any row is scored where the model is not trained, not promoted, or reads a column that
  the relation lacks or holds in another kind of type, or where keys are missing or not unique. With `snowml_untrained: empty` the first two give no rows.

  Arguments:
    model: the name of an exposure of type ml.
    relation: what to score, such as ref('…_scoring_set').
#}
{% macro predict(model, relation) -%}
  {%- if not execute -%}
    {{ return('select * from ' ~ relation) }}
  {%- endif -%}
  {%- set champion = snowml._champion(model) -%}
  {%- if champion is none -%}
    {{ return(snowml._no_predictions(model, relation)) }}
  {%- endif -%}
  {%- do snowml._check_inputs(model, champion, relation) -%}
  {%- do snowml._check_keys(model, champion, relation) -%}
  {{ return(snowml._predictions(model, champion, relation)) }}
{%- endmacro %}


{# The champion's version and signature; none where there is none and the project says that this is no error. #}
{% macro _champion(model) -%}
  {%- set wanted = "'" ~ model ~ "'" -%}
  {%- set versions = snowml.registry_relation('model_versions') -%}
  {%- set champions = snowml.registry_relation('champions') -%}
  {%- if champions is not none -%}
    {%- set found = run_query('select version, signature from ' ~ champions ~ ' where model = ' ~ wanted) -%}
    {%- if found.rows | length > 0 -%}
      {{ return({'version': found.rows[0][0] | int, 'signature': fromjson(found.rows[0][1])}) }}
    {%- endif -%}
  {%- endif -%}
  {%- if var('snowml_untrained', 'error') == 'empty' -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set trained = 0 -%}
  {%- if versions is not none -%}
    {%- set trained = run_query('select max(version) from ' ~ versions ~ ' where model = ' ~ wanted).rows[0][0] -%}
  {%- endif -%}
  {%- if trained -%}
    {{ exceptions.raise_compiler_error(
      model ~ ' is trained (version ' ~ trained ~ ') but no version is promoted. Promote one: snowml promote ' ~ model) }}
  {%- endif -%}
  {%- set models = graph.exposures.values() | selectattr('type', 'equalto', 'ml') | map(attribute='name') | sort -%}
  {%- if model not in models -%}
    {{ exceptions.raise_compiler_error(
      "This project has no exposure '" ~ model ~ "' of type ml. It has: " ~ (models | join(', ') or 'none') ~ '.') }}
  {%- endif -%}
  {{ exceptions.raise_compiler_error(
    model ~ ' has no version yet. Train it: snowml train ' ~ model ~ '; or build without predictions: '
    ~ "--vars '{snowml_untrained: empty}'") }}
{%- endmacro %}


{# Every column that the version reads must be there, in the kind of type it was trained on. #}
{% macro _check_inputs(model, champion, relation) -%}
  {%- set kinds = {} -%}
  {%- for column in adapter.get_columns_in_relation(relation) -%}
    {#- Snowflake casts a BOOLEAN to no FLOAT, so that no function takes one. -#}
    {%- set is_taken = target.type != 'snowflake' or column.dtype | upper != 'BOOLEAN' -%}
    {%- do kinds.update({column.name | lower: snowml._kind_of(column.dtype) if is_taken else column.dtype}) -%}
  {%- endfor -%}
  {%- set wrong = [] -%}
  {%- for feature in champion.signature.features -%}
    {%- set kind = kinds.get(feature.name | lower) -%}
    {%- if kind is none -%}
      {%- do wrong.append(feature.name ~ ' is missing') -%}
    {%- elif kind != feature.kind -%}
      {%- do wrong.append(feature.name ~ ' was a ' ~ feature.kind ~ ' and is now of another type (' ~ kind ~ ')') -%}
    {%- endif -%}
  {%- endfor -%}
  {%- for name in champion.signature.entity + [champion.signature.as_of] if name | lower not in kinds -%}
    {%- do wrong.append(name ~ ' is missing') -%}
  {%- endfor -%}
  {%- if wrong -%}
    {{ exceptions.raise_compiler_error(
      relation ~ ' cannot be scored by ' ~ model ~ ' version ' ~ champion.version ~ ': ' ~ wrong | join('; ')
      ~ '. Restore the columns, or train the model again: snowml train ' ~ model) }}
  {%- endif -%}
{%- endmacro %}


{# A prediction is found again by its keys: a row without one would be scored anew by every build, equal ones twice. #}
{% macro _check_keys(model, champion, relation) -%}
  {%- set keys = snowml._keys(champion.signature) -%}
  {%- set listed, missing = keys | join(', '), keys | join(' is null or ') ~ ' is null' -%}
  {%- set found = run_query(
    'select ' ~ listed ~ ', count(*) as copies from ' ~ relation ~ ' group by ' ~ listed
    ~ ' having count(*) > 1 or ' ~ missing ~ ' limit 1') -%}
  {%- if found.rows | length > 0 -%}
    {%- set values = [] -%}
    {%- for name in champion.signature.entity + [champion.signature.as_of] -%}
      {%- do values.append(name ~ ' ' ~ ('NULL' if found.rows[0][loop.index0] is none else found.rows[0][loop.index0])) -%}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error(
      relation ~ ' cannot be scored by ' ~ model ~ ': it has ' ~ found.rows[0][-1] ~ ' rows with ' ~ values | join(', ')
      ~ '. A prediction is known by these columns: they must be there, and unique together.') }}
  {%- endif -%}
{%- endmacro %}


{# The columns by which a prediction is known, quoted: the entity's and the as-of. #}
{% macro _keys(signature) -%}
  {%- set keys = [] -%}
  {%- for name in signature.entity + [signature.as_of] -%}
    {%- do keys.append(snowml._quoted(name)) -%}
  {%- endfor -%}
  {{ return(keys) }}
{%- endmacro %}


{# What a type of either warehouse is to a model, as snowml.spec.kinds has it: number, category, or the type itself. #}
{% macro _kind_of(type) -%}
  {%- set numbers = [
    'TINYINT', 'SMALLINT', 'INTEGER', 'INT', 'BIGINT', 'HUGEINT', 'BYTEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT',
    'UHUGEINT', 'DECIMAL', 'NUMERIC', 'NUMBER', 'DECFLOAT', 'FLOAT', 'FLOAT4', 'FLOAT8', 'REAL', 'DOUBLE',
    'DOUBLE PRECISION', 'BOOLEAN'
  ] -%}
  {%- set texts = [
    'VARCHAR', 'TEXT', 'STRING', 'CHAR', 'CHARACTER', 'CHARACTER VARYING', 'BPCHAR', 'NCHAR', 'NVARCHAR', 'NVARCHAR2', 'ENUM'
  ] -%}
  {%- set found = modules.re.match('^([A-Z0-9_]+(?: [A-Z]+)*?) *([(].*[)])?( COLLATE .*)?$', type | upper | trim) -%}
  {%- set base = found.group(1) if found else none -%}
  {{ return('number' if base in numbers else 'category' if base in texts else type) }}
{%- endmacro %}


{% macro _predictions(model, champion, relation) -%}
  {%- set signature = champion.signature -%}
  {%- set keys = snowml._keys(signature) -%}
  {%- set inputs = [] -%}
  {%- for feature in signature.features -%}
    {%- do inputs.append('source.' ~ snowml._quoted(feature.name)) -%}
  {%- endfor -%}
  {%- set function = 'predict_' ~ model ~ '_v' ~ champion.version -%}
  {%- set labelled = signature.task == 'classification' -%}
  {%- set many = signature.classes | length > 2 -%}
  {%- if many -%}
    {%- do snowml._check_probabilities(model, champion) -%}
  {%- endif %}
select
  {%- for key in keys %}
  scored.{{ key }},
  {%- endfor %}
  {%- if many %}
  scored.prediction,
  {{ snowml._probability_of('scored.probabilities', 'scored.prediction') }} as score,
  scored.probabilities,
  {%- else %}
  {{ snowml.function_name(function ~ '_label') ~ '(scored.score)' if labelled else 'scored.score' }} as prediction,
  scored.score,
  {%- endif %}
  cast({{ champion.version }} as bigint) as model_version,
  {{ snowml.as_of() }} as predicted_at
from (
  {%- if many %}
  select
    answered.*,
    {{ snowml.function_name(function ~ '_label') }}(answered.probabilities) as prediction
  from (
  {%- endif %}
  select
    {%- for key in keys %}
    source.{{ key }},
    {%- endfor %}
    {{ snowml.function_name(function ~ '_proba' if labelled else function) }}(
      {{ inputs | join(',\n      ') }}
    ) as {{ 'probabilities' if many else 'score' }}
  from (select * from {{ relation }}) as source
  where source.{{ keys[-1] }} <= {{ snowml.as_of() }}
  {%- if is_incremental() %}
  and not exists (
    select 1
    from {{ this }} as done
    where done.model_version = {{ champion.version }}
      {%- for key in keys %}
      and done.{{ key }} = source.{{ key }}
      {%- endfor %}
  )
  {%- endif %}
  {%- if many %}
  ) as answered
  {%- endif %}
) as scored
{%- endmacro %}


{# An incremental table from when the model had two classes has no column for the probabilities: dbt would drop them. #}
{% macro _check_probabilities(model, champion) -%}
  {%- if is_incremental() -%}
    {%- set names = adapter.get_columns_in_relation(this) | map(attribute='name') | map('lower') | list -%}
    {%- if 'probabilities' not in names -%}
      {{ exceptions.raise_compiler_error(
        this ~ ' has no column probabilities, which version ' ~ champion.version ~ ' of ' ~ model ~ ' answers: it has more '
        ~ 'than two classes. Build the table anew: dbt build --full-refresh --select ' ~ this.identifier) }}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}


{# The probability of one label, out of what predict_<model>_proba answers for more than two. #}
{% macro _probability_of(probabilities, label) -%}
  {{ return(adapter.dispatch('_probability_of', 'snowml')(probabilities, label)) }}
{%- endmacro %}

{% macro default___probability_of(probabilities, label) -%}
  {{ return(probabilities ~ '[' ~ label ~ ']') }}
{%- endmacro %}

{% macro snowflake___probability_of(probabilities, label) -%}
  {{ return('cast(get(' ~ probabilities ~ ', cast(' ~ label ~ ' as varchar)) as double)') }}
{%- endmacro %}


{# The type of what predict_<model>_proba answers for more than two classes. #}
{% macro _probabilities_type(label_type) -%}
  {{ return(adapter.dispatch('_probabilities_type', 'snowml')(label_type)) }}
{%- endmacro %}

{% macro default___probabilities_type(label_type) -%}
  {{ return('map(' ~ label_type ~ ', double)') }}
{%- endmacro %}

{% macro snowflake___probabilities_type(label_type) -%}
  {{ return('object') }}
{%- endmacro %}


{# No rows, in the shape that predictions will have; the exposure says what their columns are. #}
{% macro _no_predictions(model, relation) -%}
  {%- set found = graph.exposures.values() | selectattr('name', 'equalto', model) | list -%}
  {%- if not found -%}
    {{ exceptions.raise_compiler_error("This project has no exposure '" ~ model ~ "' of type ml.") }}
  {%- endif -%}
  {%- set settings = found[0].config.meta.snowml -%}
  {%- set entity = [settings.entity] if settings.entity is string else settings.entity -%}
  {%- set type = 'double' -%}
  {%- if settings.task == 'classification' -%}
    {%- set type = snowml._label_type(settings, found[0]) -%}
  {%- endif %}
select
  {%- for name in entity + [settings.as_of] %}
  source.{{ snowml._quoted(name) }},
  {%- endfor %}
  cast(null as {{ type }}) as prediction,
  cast(null as double) as score,
  {%- if snowml._has_many_classes(settings, found[0]) %}
  cast(null as {{ snowml._probabilities_type(type) }}) as probabilities,
  {%- endif %}
  cast(null as bigint) as model_version,
  {{ snowml.as_of() }} as predicted_at
from (select * from {{ relation }}) as source
where 1 = 0
{%- endmacro %}


{#
  Whether the label has more than two values, which only its table tells: false where that is not built yet. Should it have
  more by the time a version scores, `_check_probabilities` says so.
#}
{% macro _has_many_classes(settings, exposure) -%}
  {%- if settings.task != 'classification' or settings.get('positive') is not none -%}
    {{ return(false) }}
  {%- endif -%}
  {%- for id in exposure.depends_on.nodes if graph.nodes.get(id, {}).get('name') == settings.training_set -%}
    {%- set node = graph.nodes[id] -%}
    {%- set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
    {%- if relation is not none -%}
      {%- set label = snowml._quoted(settings.label) -%}
      {%- set found = run_query(
        'select distinct ' ~ label ~ ' from ' ~ relation ~ ' where ' ~ label ~ ' is not null limit 3') -%}
      {{ return(found.rows | length > 2) }}
    {%- endif -%}
  {%- endfor -%}
  {{ return(false) }}
{%- endmacro %}


{# The type of the label: as the training set's contract declares it, else as its table has it, else text. #}
{% macro _label_type(settings, exposure) -%}
  {%- for id in exposure.depends_on.nodes if graph.nodes.get(id, {}).get('name') == settings.training_set -%}
    {%- set node = graph.nodes[id] -%}
    {%- set declared = node.columns.get(settings.label, {}).get('data_type') -%}
    {%- if declared -%}
      {{ return(declared) }}
    {%- endif -%}
    {%- set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
    {%- if relation is not none -%}
      {%- for column in adapter.get_columns_in_relation(relation) if column.name | lower == settings.label | lower -%}
        {{ return(column.data_type) }}
      {%- endfor -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return('varchar') }}
{%- endmacro %}


{# A column's name, quoted as the warehouse keeps it. #}
{% macro _quoted(name) -%}
  {{ return(adapter.dispatch('_quoted', 'snowml')(name)) }}
{%- endmacro %}

{% macro default___quoted(name) -%}
  {{ return('"' ~ name | replace('"', '""') ~ '"') }}
{%- endmacro %}

{% macro snowflake___quoted(name) -%}
  {{ return(snowml.default___quoted(name | upper if modules.re.match('^[a-z_][a-z0-9_$]*$', name) else name)) }}
{%- endmacro %}

{#
  What models declare about themselves, once, under `config.meta.snowml`:

      entity:      the column or columns that say what a row is about
      as_of:       when the question of a row is asked (spines, feature tables)
      known_at:    when the fact of a row was known (histories, labels)
      arrived_at:  when the row reached the warehouse, where that was recorded: a fact counts from the later of the two
      increment:   {by: column, lookback: interval}: how the table is continued; see increments.sql
      contract:    conditions that a row must meet; see quarantine.sql
      static:      true where nothing in it depends on time

  dbt shows a unit test none of this. There the var `snowml_unit_tests` is asked, model → the same keys; a spine's as_of is
  `as_of` and a history's known_at `known_at` unless it says otherwise.
#}
{% macro declared(relation) -%}
  {%- set keys = ['entity', 'as_of', 'known_at', 'arrived_at', 'increment', 'contract', 'static'] -%}
  {%- set name = snowml._plain_name(relation) -%}
  {%- if 'nodes' not in graph -%}
    {{ return(var('snowml_unit_tests', {}).get(name, {})) }}
  {%- endif -%}
  {%- set node = snowml._node_of(relation, name) -%}
  {%- set found = node.config.get('meta', {}).get('snowml', {}) if node else {} -%}
  {%- for key in found if key not in keys -%}
    {{ exceptions.raise_compiler_error(
      "config.meta.snowml of " ~ name ~ " has a key '" ~ key ~ "'; it may have " ~ keys | join(', ') ~ ".") }}
  {%- endfor -%}
  {{ return(found) }}
{%- endmacro %}


{# The node that a relation was made from: of those that this one depends on, for another environment's may stand in. #}
{% macro _node_of(relation, name) -%}
  {%- set found = [] -%}
  {%- for id in model.depends_on.nodes -%}
    {%- set node = graph.nodes.get(id) or graph.sources.get(id) -%}
    {%- if node and (node.alias or node.identifier) | lower == name | lower -%}
      {%- do found.append(node) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- for node in found if found | length > 1 and node.schema == relation.schema -%}
    {{ return(node) }}
  {%- endfor -%}
  {{ return(found[0] if found else none) }}
{%- endmacro %}


{#
  One declaration of a relation, or what the call gave instead. A text (the name of a common table expression) declares
  nothing, so that the call must say it.
#}
{% macro _declaration(relation, key, given=none, macro='', default=none) -%}
  {%- if given is not none -%}
    {{ return(given) }}
  {%- endif -%}
  {%- set found = {} if relation is string else snowml.declared(relation) -%}
  {%- if found.get(key) is not none -%}
    {{ return(found[key]) }}
  {%- endif -%}
  {%- if default is not none -%}
    {{ return(default) }}
  {%- endif -%}
  {%- if 'nodes' not in graph and relation is not string and key in ['as_of', 'known_at'] -%}
    {{ return(key) }}
  {%- elif 'nodes' not in graph and relation is not string -%}
    {{ exceptions.raise_compiler_error(
      "dbt shows no declarations to a unit test. Repeat the " ~ key ~ " of " ~ snowml._plain_name(relation)
      ~ " in the var snowml_unit_tests: {" ~ snowml._plain_name(relation) ~ ": {" ~ key ~ ": …}}") }}
  {%- endif -%}
  {{ exceptions.raise_compiler_error(
    macro ~ ': ' ~ snowml._plain_name(relation) ~ " declares no " ~ key
    ~ ". Add it to the model's config.meta.snowml, or give " ~ key ~ " in the call.") }}
{%- endmacro %}


{# What a relation is called in the project: dbt puts a mark before what it inlines. #}
{% macro _plain_name(relation) -%}
  {{ return(relation if relation is string else relation.identifier | replace('__dbt__cte__', '')) }}
{%- endmacro %}


{# Whether tables are being built: dbt has made by now what the model reads, and may be asked about it. #}
{% macro _is_building() -%}
  {{ return(flags.WHICH in ['run', 'build', 'retry'] and not flags.EMPTY and not flags.SAMPLE and 'nodes' in graph) }}
{%- endmacro %}


{# Whether the warehouse knows a relation by a name of its own: no common table expression, no ephemeral model. #}
{% macro _is_stored(relation) -%}
  {{ return(relation is not string and not relation.is_cte) }}
{%- endmacro %}


{#
  Stops where the moments of a relation are no timestamps without a zone. A date would count from its first second, and
  tell of a day that is not over; a zone would be the session's.
#}
{% macro _require_moments(relation, columns, macro) -%}
  {%- if not (snowml._is_building() and snowml._is_stored(relation)) -%}
    {{ return('') }}
  {%- endif -%}
  {%- for column in snowml._columns(relation) if snowml._bare(column.name) in columns | map('replace', '"', '') | map('lower') -%}
    {%- set type = column.data_type | upper -%}
    {%- set has_zone = modules.re.search('WITH TIME ZONE|_L?TZ', type) -%}
    {%- if has_zone or snowml._type_family(type) != 'timestamp' -%}
      {{ exceptions.raise_compiler_error(
        macro ~ ': ' ~ column.name ~ ' of ' ~ snowml._plain_name(relation) ~ ' is a ' ~ type
        ~ ', and moments are timestamps without a zone, in UTC. Write '
        ~ ("snowml.utc('" ~ column.name ~ "')." if has_zone
          else 'cast(' ~ column.name ~ " as timestamp), plus interval '1 day' for what is known when the day is over.")) }}
    {%- endif -%}
  {%- endfor -%}
{%- endmacro %}


{# Stands for the query while dbt looks for refs: nothing is known of the project then. #}
{% macro _not_yet() -%}
  {{ return('select 1 as parsed') }}
{%- endmacro %}

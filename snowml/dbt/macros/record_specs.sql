{#
  Appends the specification of each of the project's models to the registry, where it differs from the one recorded last,
  so that procedures in the warehouse follow the project:

      on-run-end: "{{ snowml.record_specs() }}"

  What is recorded is what the exposure says, with its relations resolved for the target; it is checked when it is read.
  It is to the letter what `snowml train` and `snowml deploy` record, so that none of them records it again.
  Does nothing where there is no registry yet: the first training makes it.
#}
{% macro record_specs() -%}
  {%- if not execute or flags.WHICH not in ['build', 'run'] -%}
    {{ return('') }}
  {%- endif -%}
  {%- set specs = snowml.registry_relation('specs') -%}
  {%- set rows = [] -%}
  {%- for exposure in graph.exposures.values() | sort(attribute='name') -%}
    {%- set settings = exposure.config.get('meta', {}).get('snowml') -%}
    {%- if specs is not none and exposure.type == 'ml' and exposure.package_name == project_name and settings -%}
      {%- do rows.append(snowml._spec_row(specs, exposure.name, snowml._spec(exposure, settings))) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if rows -%}
    {%- call statement('record_specs', auto_begin=true) -%}
      insert into {{ specs }} (model, spec, overridden, recorded_at)
      {{ rows | join('\nunion all\n') }}
    {%- endcall -%}
    {#- dbt rolls back whatever a hook at the end of a run has left open. -#}
    {%- do adapter.commit() -%}
  {%- endif -%}
  {{ return('') }}
{%- endmacro %}


{# The specification as `ModelSpec` reads it. #}
{% macro _spec(exposure, settings) -%}
  {{ return({
    'name': exposure.name,
    'project': exposure.package_name,
    'owner': exposure.owner.name or exposure.owner.email,
    'file': exposure.original_file_path,
    'settings': snowml._spec_value(settings),
    'training_set': snowml._spec_relation(exposure, settings.training_set),
    'scoring_set': snowml._spec_relation(exposure, settings.scoring_set),
    'stream': snowml._spec_relation(exposure, settings.monitor.stream) if (settings.monitor or {}).stream else none,
    'registry_schema': snowml.registry_schema(),
    'function_schema': var('snowml_function_schema', none) or target.schema,
    'target': target.name,
  }) }}
{%- endmacro %}


{# A setting as JSON can hold it: YAML has dates, which are written as Python's `str` writes them. #}
{% macro _spec_value(value) -%}
  {%- if value is mapping -%}
    {%- set found = {} -%}
    {%- for key, item in value.items() -%}
      {%- do found.update({key: snowml._spec_value(item)}) -%}
    {%- endfor -%}
    {{ return(found) }}
  {%- elif value is string or value is number or value is boolean or value is none -%}
    {{ return(value) }}
  {%- elif value is sequence -%}
    {%- set found = [] -%}
    {%- for item in value -%}
      {%- do found.append(snowml._spec_value(item)) -%}
    {%- endfor -%}
    {{ return(found) }}
  {%- endif -%}
  {{ return(value | string) }}
{%- endmacro %}


{# Where a set is built; without a database where that is the target's own, so that a DuckDB file may be renamed. #}
{% macro _spec_relation(exposure, name) -%}
  {%- for id in exposure.depends_on.nodes -%}
    {%- set node = graph.nodes.get(id) or graph.sources.get(id) -%}
    {%- if node.name == name or id.endswith('.' ~ name) -%}
      {%- set own = node.database is none or node.database | lower == target.database | lower -%}
      {{ return({
        'schema': snowml._spec_part(node, node.schema),
        'name': snowml._spec_part(node, node.alias or node.identifier),
        'database': none if own else snowml._spec_part(node, node.database),
      }) }}
    {%- endif -%}
  {%- endfor -%}
  {{ exceptions.raise_compiler_error(
    'exposure ' ~ exposure.name ~ " reads '" ~ name ~ "', which is not in its depends_on. Add ref('" ~ name ~ "').") }}
{%- endmacro %}


{# A name as `ModelSpec` has it: what dbt emits without quotes a warehouse folds; what it quotes is meant to the letter. #}
{% macro _spec_part(node, name) -%}
  {%- set plain = modules.re.fullmatch('[A-Za-z_][A-Za-z0-9_$]*', name) -%}
  {{ return(name if not plain or '"' ~ name ~ '"' in (node.relation_name or '') else name | lower) }}
{%- endmacro %}


{# The row to append; none where the model's latest is the same. #}
{% macro _spec_row(specs, model, spec) -%}
  {%- set text = "'" ~ tojson(spec, sort_keys=true) | replace('\\', snowml._backslash()) | replace("'", "''") ~ "'" -%}
  {%- set at = run_started_at.astimezone(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S.%f') -%}
  select '{{ model }}', {{ text }}, false, cast('{{ at }}' as timestamp)
  where not exists (
    select 1
    from (
      select spec
      from {{ specs }}
      where model = '{{ model }}' and not overridden
      order by recorded_at desc
      limit 1
    ) as latest
    where latest.spec = {{ text }}
  )
{%- endmacro %}


{# A backslash inside a SQL string: Snowflake, unlike DuckDB, takes one for an escape. #}
{% macro _backslash() -%}
  {{ return(adapter.dispatch('_backslash', 'snowml')()) }}
{%- endmacro %}

{% macro default___backslash() -%}{{ return('\\') }}{%- endmacro %}

{% macro snowflake___backslash() -%}{{ return('\\\\') }}{%- endmacro %}

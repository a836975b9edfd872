{#
  The registry as dbt reads it. Its schema is the var `snowml_schema`, else `<target schema>_snowml`; its tables are made
  by snowml, so a macro that reads one must do without where there is none yet.
#}

{% macro registry_schema() -%}
  {{ return(var('snowml_schema', none) or (target.schema ~ '_snowml')) }}
{%- endmacro %}


{# A table or view of the registry, or none where it is not there (yet). #}
{% macro registry_relation(name) -%}
  {{ return(adapter.get_relation(database=target.database, schema=snowml.registry_schema(), identifier=name)) }}
{%- endmacro %}


{# A prediction function by its full name: a schema may share its name with the database. #}
{% macro function_name(name) -%}
  {%- set schema = var('snowml_function_schema', none) or target.schema -%}
  {{ return(api.Relation.create(database=target.database, schema=schema, identifier=name) | string) }}
{%- endmacro %}


{# What monitoring found about one model: one row for each version, window and column, as it was found last. #}
{% macro drift(model) -%}
  {{ snowml._monitoring('drift', model, ['column_name'], [
    ('model', 'varchar'), ('version', 'bigint'), ('window_start', 'timestamp'), ('window_end', 'timestamp'),
    ('column_name', 'varchar'), ('psi', 'double'), ('null_rate', 'double'), ('baseline_null_rate', 'double'),
    ('row_count', 'bigint'), ('threshold', 'double'), ('drifted', 'boolean'), ('monitored_at', 'timestamp'),
  ]) }}
{%- endmacro %}


{# How right one model was: one row for each version, window, predictor and metric, as it was found last. #}
{% macro performance(model) -%}
  {{ snowml._monitoring('performance', model, ['predictor', 'metric'], [
    ('model', 'varchar'), ('version', 'bigint'), ('window_start', 'timestamp'), ('window_end', 'timestamp'),
    ('predictor', 'varchar'), ('metric', 'varchar'), ('value', 'double'), ('row_count', 'bigint'), ('scored_count', 'bigint'),
    ('monitored_at', 'timestamp'),
  ]) }}
{%- endmacro %}


{% macro _monitoring(table, model, keys, columns) -%}
  {%- set relation = snowml.registry_relation(table) if execute else none -%}
  {%- if relation is none %}
select
  {%- for name, type in columns %}
  cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
  {%- endfor %}
where 1 = 0
  {%- else %}
select
  {%- for name, type in columns %}
  found.{{ name }}{{ ',' if not loop.last }}
  {%- endfor %}
from (
  select
    *,
    row_number() over (
      partition by version, window_start, window_end, {{ keys | join(', ') }}
      order by monitored_at desc
    ) as newest_first
  from {{ relation }}
  where model = '{{ model }}'
) as found
where found.newest_first = 1
  {%- endif %}
{%- endmacro %}

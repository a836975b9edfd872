{#
  Tables that are continued rather than rebuilt. A model that is materialized as `incremental` with the strategy `tail`
  declares

      increment: {by: as_of, lookback: 3 days}

  and each build computes again what lies at or after the newest `by` in the table less the lookback, and replaces
  just that. The lookback is the longest by which a row may reach the warehouse after it was known: whatever comes
  within it ends up in every row that it belongs to, so that a sequence of builds gives what a rebuild would give.
  A row that comes later still is not seen before the next `--full-refresh`; nor is a change of the model's SQL.

  `by` is `as_of` unless said. A training set is continued by when its labels became known.

  A build with an earlier `as_of` takes back what is later than it.
#}

{# True for the rows that this build computes: those asked by now, and of an increment those within it. #}
{% macro in_increment(column) -%}
  {%- if not execute -%}
    {{ return('true') }}
  {%- endif -%}
  {{ return(snowml._asked(column, snowml._increment_start())) }}
{%- endmacro %}


{% macro _asked(column, start) -%}
  {%- set now = column ~ ' <= ' ~ snowml.as_of() -%}
  {{ return(now ~ ' and ' ~ column ~ ' >= ' ~ start if start else now) }}
{%- endmacro %}


{# Where this build's increment begins, as SQL; none where the whole table is computed. #}
{% macro _increment_start() -%}
  {#- A unit test has no table to continue. -#}
  {%- if 'nodes' not in graph or not is_incremental() or not flags.INTROSPECT -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set settings = model.config.get('meta', {}).get('snowml', {}).get('increment', {}) -%}
  {%- if settings.lookback is not defined -%}
    {{ exceptions.raise_compiler_error(
      model.name ~ " is incremental and does not say how late a row may come. Declare it under config.meta.snowml, "
      ~ "such as increment: {lookback: 3 days}.") }}
  {%- endif -%}
  {%- set lookback = snowml._interval(settings.lookback, model.name ~ ': the lookback') -%}
  {%- set newest = 'max(' ~ snowml._increment_by() ~ ')' -%}
  {%- set query -%}
    select {{ snowml._moment_text(
      'case when ' ~ newest ~ ' < ' ~ snowml.as_of() ~ ' then ' ~ newest
      ~ ' when ' ~ newest ~ ' is not null then ' ~ snowml.as_of() ~ ' end - ' ~ lookback
    ) }} as start
    from {{ this }}
  {%- endset -%}
  {%- set start = run_query(query).rows[0][0] -%}
  {{ return("cast('" ~ start ~ "' as timestamp)" if start else none) }}
{%- endmacro %}


{% macro _increment_by() -%}
  {%- set settings = model.config.get('meta', {}).get('snowml', {}) -%}
  {{ return(settings.get('increment', {}).by or settings.as_of or 'as_of') }}
{%- endmacro %}


{#
  The strategy `tail`: what lies in the increment goes, what was computed comes, in one transaction. dbt looks for a
  strategy among the macros of the project itself, which therefore needs one called get_incremental_tail_sql(arguments)
  whose body is

      {{ return(snowml.replace_tail(arguments)) }}
#}
{% macro replace_tail(arguments) -%}
  {%- set start = snowml._increment_start() -%}
  {%- set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name') | list) -%}
  {{ return(adapter.dispatch('replace_tail', 'snowml')(
    arguments.target_relation, arguments.temp_relation, columns,
    snowml._increment_by() ~ ' >= ' ~ start if start else 'true'
  )) }}
{%- endmacro %}


{% macro default__replace_tail(target, computed, columns, condition) -%}
  delete from {{ target }} where {{ condition }};
  insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ computed }}
{%- endmacro %}


{% macro snowflake__replace_tail(target, computed, columns, condition) -%}
  begin;
  {{ snowml.default__replace_tail(target, computed, columns, condition) }};
  commit;
{%- endmacro %}

{# dbt looks for the strategy `tail` among the project's own macros. #}
{% macro get_incremental_tail_sql(arguments) %}
  {{ return(snowml.replace_tail(arguments)) }}
{% endmacro %}

{# The whole numbers from 0 to count - 1, in a column n. #}
{% macro numbers(count) %}
  {{- return(adapter.dispatch('numbers', 'pumps')(count)) -}}
{% endmacro %}

{% macro default__numbers(count) -%}
  (select cast(range as integer) as n from range({{ count }}))
{%- endmacro %}

{% macro snowflake__numbers(count) -%}
  (select row_number() over (order by null) - 1 as n from table(generator(rowcount => {{ count }})))
{%- endmacro %}


{# As good as random from 0 to below 1, and the same in every build. #}
{% macro chance(columns, salt) -%}
  {{ snowml.bucket(columns, 100000, salt) }} / 100000.0
{%- endmacro %}

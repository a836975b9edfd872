{# Stops with one clear sentence where a test was given arguments that it cannot use. #}
{% macro _require(condition, test, message) -%}
  {%- if not condition -%}
    {{ exceptions.raise_compiler_error("The test snowml." ~ test ~ " " ~ message) }}
  {%- endif -%}
{%- endmacro %}

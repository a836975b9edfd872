{# An interval as both engines write it, such as '28 days'; one that cannot be read is told with where it stands. #}
{% macro _interval(text, place) -%}
  {%- set tidy = text | string | trim | lower -%}
  {%- if not modules.re.match('^\\d+ (second|minute|hour|day|week)s?$', tidy) -%}
    {{ exceptions.raise_compiler_error(
      place ~ " is '" ~ text ~ "'; give a number and a unit, such as '3 hours' or '28 days'.") }}
  {%- endif -%}
  {{ return("interval '" ~ tidy ~ "'") }}
{%- endmacro %}


{# The longest of several intervals; none where one of them is none, which is to say unlimited. #}
{% macro _longest(texts) -%}
  {%- set lengths = {'second': 1, 'minute': 60, 'hour': 3600, 'day': 86400, 'week': 604800} -%}
  {%- set longest = namespace(text=none, seconds=-1) -%}
  {%- for text in texts -%}
    {%- if text is none -%}
      {{ return(none) }}
    {%- endif -%}
    {%- set parts = text.strip().lower().split(' ') -%}
    {%- set seconds = (parts[0] | int) * lengths[parts[1].rstrip('s')] -%}
    {%- if seconds > longest.seconds -%}
      {%- set longest.text = text -%}
      {%- set longest.seconds = seconds -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(longest.text) }}
{%- endmacro %}


{# A timestamp as text that a cast reads back to the microsecond, whatever the session's format. #}
{% macro _moment_text(expression) -%}
  {{ return(adapter.dispatch('_moment_text', 'snowml')(expression)) }}
{%- endmacro %}

{% macro default___moment_text(expression) -%}
  strftime(cast({{ expression }} as timestamp), '%Y-%m-%d %H:%M:%S.%f')
{%- endmacro %}

{% macro snowflake___moment_text(expression) -%}
  to_char(cast({{ expression }} as timestamp_ntz), 'YYYY-MM-DD HH24:MI:SS.FF6')
{%- endmacro %}

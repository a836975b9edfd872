{# The moment this run stands for, as a SQL timestamp without zone, in UTC: the var `as_of`, else the run's start. #}
{% macro as_of() -%}
  {{ return("cast('" ~ snowml.as_of_text() ~ "' as timestamp)") }}
{%- endmacro %}


{# The same moment as text: YYYY-MM-DD HH:MM:SS. #}
{% macro as_of_text() -%}
  {%- set given = var('as_of', none) -%}
  {%- if given is none -%}
    {{ return(run_started_at.astimezone(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S')) }}
  {%- endif -%}
  {%- set text = (given | string | trim).replace('T', ' ').rstrip('Z') -%}
  {%- if not modules.re.match('^\\d{4}-\\d{2}-\\d{2}( \\d{2}:\\d{2}(:\\d{2})?)?$', text) -%}
    {{ exceptions.raise_compiler_error(
      "The var as_of is '" ~ given ~ "'; give a UTC date or time such as 2013-10-01 or '2013-10-01 06:00:00'.") }}
  {%- endif -%}
  {{ return(text if text | length > 10 else text ~ ' 00:00:00') }}
{%- endmacro %}

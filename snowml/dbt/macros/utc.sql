{# A timestamp with a zone as a timestamp without one, in UTC: independent of the session's zone. #}
{% macro utc(expression) %}
  {{- return(adapter.dispatch('utc', 'snowml')(expression)) -}}
{% endmacro %}


{% macro default__utc(expression) -%}
  cast(cast({{ expression }} as timestamp with time zone) at time zone 'UTC' as timestamp)
{%- endmacro %}


{% macro snowflake__utc(expression) -%}
  cast(convert_timezone('UTC', cast({{ expression }} as timestamp_tz)) as timestamp_ntz)
{%- endmacro %}


{# A timestamp without zone, in UTC, as the wall clock of `zone` (an IANA name) shows it. #}
{% macro local_time(expression, zone) %}
  {{- return(adapter.dispatch('local_time', 'snowml')(expression, zone)) -}}
{% endmacro %}


{% macro default__local_time(expression, zone) -%}
  cast({{ expression }} at time zone 'UTC' at time zone '{{ zone }}' as timestamp)
{%- endmacro %}


{% macro snowflake__local_time(expression, zone) -%}
  convert_timezone('UTC', '{{ zone }}', {{ expression }})
{%- endmacro %}


{# A timestamp as text that reads well in a key: 20240131T1015. A plain cast depends on the session. #}
{% macro minute_text(expression) %}
  {{- return(adapter.dispatch('minute_text', 'snowml')(expression)) -}}
{% endmacro %}


{% macro default__minute_text(expression) -%}
  strftime({{ expression }}, '%Y%m%dT%H%M')
{%- endmacro %}


{% macro snowflake__minute_text(expression) -%}
  to_char({{ expression }}, 'YYYYMMDD"T"HH24MI')
{%- endmacro %}


{# Monday is 1, Sunday is 7, whatever the session's first day of the week. #}
{% macro day_of_week(expression) %}
  {{- return(adapter.dispatch('day_of_week', 'snowml')(expression)) -}}
{% endmacro %}


{% macro default__day_of_week(expression) -%}
  isodow({{ expression }})
{%- endmacro %}


{% macro snowflake__day_of_week(expression) -%}
  dayofweekiso({{ expression }})
{%- endmacro %}

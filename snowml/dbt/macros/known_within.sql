{#
  The window of a point-in-time feature: over a time line of facts (at known_at) and questions (at as_of), what was
  known in the last `interval` before each row, of the rows with the same `by`.

      sum(amount) {{ snowml.known_within('3 hours', by='customer') }}

  Both ends are closed. `range`, never `rows`: rows of one moment are peers, so a fact that becomes known exactly at
  as_of counts, whichever of the two a sort puts first, and the answer does not depend on ties. Spelled out each
  time, because Snowflake has no named windows.
#}
{% macro known_within(interval, by, moment='moment') -%}
  {%- set keys = [by] if by is string else by -%}
  {%- if not modules.re.match('^\\d+ (second|minute|hour|day)s?$', interval) -%}
    {{ exceptions.raise_compiler_error(
      "known_within: the interval is '" ~ interval ~ "'; give a number and a unit, such as '3 hours' or '28 days'.") }}
  {%- endif -%}
  over (
    partition by {{ keys | join(', ') }} order by {{ moment }}
    range between interval '{{ interval }}' preceding and current row
  )
{%- endmacro %}

{#
  A double; NULL, never infinity or NaN, where there is nothing to divide by. Divide sums of whole numbers, once: such
  sums are exact, so that a rebuild gives the same bits. A sum of doubles depends on the order of the threads.
#}
{% macro ratio(numerator, denominator) -%}
  cast({{ numerator }} as double) / nullif({{ denominator }}, 0)
{%- endmacro %}

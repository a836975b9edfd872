{% test same_total(model, expression, as, by=[], as_expression=none, tolerance=0) %}
{{ snowml._require(as is not string, 'same_total', "needs a relation, such as as: ref('bills'), and not a text.") }}
{%- set keys = snowml._listed(by) %}

select *
from (
    select
        {%- for key in keys %}
        coalesce(ours.{{ key }}, theirs.{{ key }}) as {{ key }},
        {%- endfor %}
        ours.total as here,
        theirs.total as there
    from ({{ snowml._totals(model, expression, keys) }}) as ours
    full outer join ({{ snowml._totals(as, as_expression or expression, keys) }}) as theirs
        on {{ snowml._same_keys('ours', 'theirs', keys) if keys else 'true' }}
) as totals
where coalesce(abs(here - there) > {{ tolerance }}, here is not null or there is not null)

{% endtest %}


{% macro _totals(relation, expression, keys) -%}
  select
    {%- for key in keys %}
    {{ key }},
    {%- endfor %}
    {{ expression }} as total
  from {{ relation }}
  {%- if keys %}
  group by {{ keys | join(', ') }}
  {%- endif %}
{%- endmacro %}

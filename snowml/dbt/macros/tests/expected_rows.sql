{% test expected_rows(model, by, at_least=none, at_most=none, groups=none) %}
{{ snowml._require(at_least is not none or at_most is not none, 'expected_rows',
  "needs at_least, at_most or both, such as at_least: 24.") }}
{{ snowml._require(groups is not string, 'expected_rows', "needs a relation, such as groups: ref('stores'), and not a text.") }}
{%- set keys = snowml._listed(by) %}

select *
from (
    select
        {%- for key in keys %}
        {{ 'expected' if groups else 'counted' }}.{{ key }},
        {%- endfor %}
        coalesce(counted.rows_in_group, 0) as rows_in_group
    from (
        select {{ keys | join(', ') }}, count(*) as rows_in_group
        from {{ model }}
        group by {{ keys | join(', ') }}
    ) as counted
    {%- if groups %}
    right join (select distinct {{ keys | join(', ') }} from {{ groups }}) as expected
        on {{ snowml._same_keys('counted', 'expected', keys) }}
    {%- endif %}
) as grouped
where
    false
    {%- if at_least is not none %}
    or rows_in_group < {{ at_least }}
    {%- endif %}
    {%- if at_most is not none %}
    or rows_in_group > {{ at_most }}
    {%- endif %}

{% endtest %}

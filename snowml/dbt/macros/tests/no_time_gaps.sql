{% test no_time_gaps(model, column_name, longest, by=[]) %}
{%- set keys = snowml._listed(by) %}

select *
from (
    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        {{ column_name }} as gap_begins,
        lead({{ column_name }}) over (
            {%- if keys %}partition by {{ keys | join(', ') }} {% endif %}order by {{ column_name }}
        ) as gap_ends
    from {{ model }}
    where {{ column_name }} is not null
) as neighbours
where gap_ends > gap_begins + {{ snowml._interval(longest, 'The test snowml.no_time_gaps: longest') }}

{% endtest %}

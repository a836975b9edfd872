{% test fresh_as_of(model, column_name, hours, by=[], as_of=none) %}
{{ snowml._require(hours is number and hours > 0, 'fresh_as_of',
  "needs the number of hours that data may be old, such as hours: 48, and not '" ~ hours ~ "'.") }}
{%- set keys = snowml._listed(by) %}
{%- set now = "cast('" ~ as_of ~ "' as timestamp)" if as_of else snowml.as_of() %}

-- An empty relation is not fresh: the newest is NULL, and the comparison must still fail.
select *
from (
    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        max(case when {{ column_name }} <= {{ now }} then {{ column_name }} end) as newest
    from {{ model }}
    {%- if keys %}
    group by {{ keys | join(', ') }}
    {%- endif %}
) as known
where coalesce(newest < {{ dbt.dateadd('hour', -hours, now) }}, true)

{% endtest %}

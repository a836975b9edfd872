{% test fresh_as_of(model, column_name, hours) %}
{{ snowml._require(hours is number and hours > 0, 'fresh_as_of',
  "needs the number of hours that data may be old, such as hours: 48, and not '" ~ hours ~ "'.") }}

-- An empty relation is not fresh: the newest is NULL, and the comparison must still fail.
select newest
from (
    select max({{ column_name }}) as newest
    from {{ model }}
    where {{ column_name }} <= {{ snowml.as_of() }}
) as known
where coalesce(newest < {{ dbt.dateadd('hour', -hours, snowml.as_of()) }}, true)

{% endtest %}

{% test arrives_within(model, column_name, arrived_at, longest, late_at_most=0) %}
{{ snowml._require(late_at_most is number and 0 <= late_at_most < 1, 'arrives_within',
  "needs a ratio from 0 to below 1, such as late_at_most: 0.01, and not '" ~ late_at_most ~ "'.") }}

select *
from (
    select
        timed.*,
        avg(is_late) over () as share_late
    from (
        select
            arrivals.*,
            case
                when arrivals.{{ arrived_at }}
                    > arrivals.{{ column_name }} + {{ snowml._interval(longest, 'The test snowml.arrives_within: longest') }}
                    then 1.0
                else 0.0
            end as is_late
        from (select * from {{ model }}) as arrivals
    ) as timed
) as shared
where is_late = 1.0 and share_late > {{ late_at_most }}

{% endtest %}

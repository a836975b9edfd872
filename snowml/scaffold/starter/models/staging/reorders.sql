-- The label: whether the customer orders again within four weeks. Known when the four weeks are over, and not sooner for those
-- who do: else the newest rows would be theirs alone.
with

customer_weeks as (
    select * from {{ ref('customer_weeks') }}
),

orders as (
    select * from {{ ref('stg_orders') }}
),

counted as (
    select
        customer_weeks.customer,
        customer_weeks.as_of,
        count(orders.order_id) as orders_ahead
    from customer_weeks
    left join orders
        on
            customer_weeks.customer = orders.customer
            and customer_weeks.as_of < orders.ordered_at
            and customer_weeks.as_of + interval '28 days' >= orders.ordered_at
    group by 1, 2
)

select
    customer,
    as_of,
    orders_ahead > 0 as reordered,
    as_of + interval '28 days' as known_at
from counted

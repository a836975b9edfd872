-- The spine: what is to be predicted, and when. Every Monday, each customer who has ordered in the last 90 days.
with

orders as (
    select * from {{ ref('stg_orders') }}
),

-- The Monday after each order: a question must not be there because of what came after it.
weeks as (
    select distinct cast({{ dbt.date_trunc('week', 'ordered_at') }} as timestamp) + interval '7 days' as as_of from orders
)

select distinct
    orders.customer,
    weeks.as_of
from weeks
inner join orders
    on
        weeks.as_of > orders.ordered_at
        and weeks.as_of - interval '90 days' <= orders.ordered_at

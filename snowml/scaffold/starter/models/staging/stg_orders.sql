-- Orders, known when they are placed. Amounts as decimals, so that sums are exact.
select
    order_id,
    customer,
    channel,
    cast(amount as decimal(12, 2)) as amount,
    cast(ordered_at as timestamp) as ordered_at
from {{ ref('orders') }}

-- The customer's newest order, as known at as_of.
with

newest as (
    {{ snowml.point_in_time_join(
        spine=ref('customer_weeks'),
        histories=[
            {'from': ref('stg_orders'), 'by': 'customer', 'newest_by': 'order_id', 'columns': {
                'last_channel': 'channel',
                'last_ordered_at': 'ordered_at',
            }},
        ]
    ) }}
)

select
    customer,
    as_of,
    last_channel,
    cast({{ dbt.datediff('last_ordered_at', 'as_of', 'hour') }} / 24.0 as double) as days_since_order
from newest

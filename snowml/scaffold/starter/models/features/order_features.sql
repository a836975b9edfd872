-- What the customer ordered lately, as known at as_of.
{{ snowml.rolling(
    spine=ref('customer_weeks'),
    histories=[
        {'from': ref('stg_orders'), 'by': 'customer', 'features': {
            'orders_28d': 'count(*) over 28 days',
            'orders_90d': 'count(*) over 90 days',
            'spent_90d': 'sum(amount) over 90 days',
            'mean_amount_90d': 'mean(amount) over 90 days',
        }},
    ]
) }}

-- How late flights arrived lately: at this destination, and on this route.
{{ snowml.rolling(
    spine=ref('stg_flights'),
    histories=[
        {'from': ref('stg_arrivals'), 'by': 'dest', 'features': {
            'dest_delay_24h': 'mean(arr_delay) over 24 hours',
        }},
        {'from': ref('stg_arrivals'), 'by': ['origin', 'dest'], 'features': {
            'route_delay_28d': 'mean(arr_delay) over 28 days',
            'route_late_rate_28d': 'rate(is_late) over 28 days',
        }},
    ]
) }}

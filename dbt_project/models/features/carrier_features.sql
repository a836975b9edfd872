-- How the airline is doing: here, by its departures, and everywhere, by its arrivals.
{{ snowml.rolling(
    spine=ref('stg_flights'),
    histories=[
        {'from': ref('stg_departures'), 'by': ['carrier', 'origin'], 'features': {
            'carrier_origin_delay_24h': 'mean(dep_delay) over 24 hours',
        }},
        {'from': ref('stg_arrivals'), 'by': 'carrier', 'features': {
            'carrier_late_rate_7d': 'rate(is_late) over 7 days',
        }},
    ]
) }}

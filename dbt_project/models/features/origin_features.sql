-- How the airport of departure is doing.
{{ snowml.rolling(
    spine=ref('stg_flights'),
    histories=[
        {'from': ref('stg_departures'), 'by': 'origin', 'features': {
            'origin_delay_3h': 'mean(dep_delay) over 3 hours',
            'origin_late_rate_3h': 'rate(dep_delay >= 15) over 3 hours',
            'origin_departures_3h': 'count(dep_delay) over 3 hours',
            'origin_cancel_rate_6h': 'rate(is_cancelled) over 6 hours',
        }},
    ]
) }}

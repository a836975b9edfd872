-- How late this very connection arrived lately: the same carrier's flight of the same number.
{{ snowml.rolling(
    spine=ref('stg_flights'),
    histories=[
        {'from': ref('stg_arrivals'), 'by': ['carrier', 'flight_number'], 'features': {
            'flight_number_late_rate_28d': 'rate(is_late) over 28 days',
            'flight_number_arrivals_28d': 'count(is_late) over 28 days',
        }},
    ]
) }}

-- Every feature of every flight, cancelled ones too: at as_of nobody knew. NULL where nothing was known.
{{ snowml.join_features(
    spine=ref('stg_flights'),
    features=[
        ref('schedule_features'),
        ref('origin_features'),
        ref('carrier_features'),
        ref('route_features'),
        ref('flight_number_features'),
        ref('plane_features'),
        ref('weather_features'),
    ]
) }}

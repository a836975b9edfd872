-- The newest weather at the origin that was known by as_of, if it is no older than six hours.
with

weather as (
    select * from {{ ref('stg_weather') }}
),

-- The earlier reading is older than the later one, so whoever knows the later one knows the change.
readings as (
    select
        weather.*,
        weather.pressure - earlier.pressure as pressure_change_3h
    from weather
    left join weather as earlier
        on
            weather.origin = earlier.origin
            and weather.observed_at = earlier.observed_at + interval '3 hours'
)

{{ snowml.point_in_time_join(
    spine=ref('stg_flights'),
    histories=[
        {
            'from': 'readings',
            'known_at': 'known_at',
            'by': 'origin',
            'max_age': '6 hours',
            'columns': [
                'temperature', 'dew_point', 'wind_speed', 'wind_gust', 'precipitation', 'pressure', 'pressure_change_3h',
                'visibility'
            ],
        },
    ]
) }}

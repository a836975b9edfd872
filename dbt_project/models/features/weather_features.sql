-- The newest weather at the origin that was known by as_of, if it is no older than six hours.
with

flights as (
    select flight_id, origin, as_of from {{ ref('stg_flights') }}
),

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
),

joined as (
    select
        flights.flight_id,
        flights.as_of,
        readings.temperature,
        readings.dew_point,
        readings.wind_speed,
        readings.wind_gust,
        readings.precipitation,
        readings.pressure,
        readings.pressure_change_3h,
        readings.visibility,
        readings.known_at >= flights.as_of - interval '6 hours' as is_recent
    {{ snowml.asof_join('flights', 'readings', by='origin', left_time='as_of', right_time='known_at') }}
),

final as (
    select
        flight_id,
        as_of,
        temperature,
        dew_point,
        wind_speed,
        wind_gust,
        precipitation,
        pressure,
        pressure_change_3h,
        visibility
    from joined
    where is_recent
)

select * from final

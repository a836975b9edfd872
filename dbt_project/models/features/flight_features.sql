-- Every feature of every flight, cancelled ones too: at as_of nobody knew. NULL where nothing was known.
with

schedule as (
    select * from {{ ref('schedule_features') }}
),

origin_history as (
    select * from {{ ref('origin_features') }}
),

carrier_history as (
    select * from {{ ref('carrier_features') }}
),

route_history as (
    select * from {{ ref('route_features') }}
),

flight_number_history as (
    select * from {{ ref('flight_number_features') }}
),

plane as (
    select * from {{ ref('plane_features') }}
),

weather as (
    select * from {{ ref('weather_features') }}
),

final as (
    select
        schedule.flight_id,
        schedule.as_of,

        schedule.carrier,
        schedule.origin,
        schedule.dest,
        schedule.day_of_week,
        schedule.minute_of_day,
        schedule.distance_miles,
        schedule.planned_departures_1h,

        origin_history.origin_delay_3h,
        origin_history.origin_late_rate_3h,
        origin_history.origin_departures_3h,
        origin_history.origin_cancel_rate_6h,

        carrier_history.carrier_origin_delay_24h,
        carrier_history.carrier_late_rate_7d,

        route_history.dest_delay_24h,
        route_history.route_delay_28d,
        route_history.route_late_rate_28d,

        flight_number_history.flight_number_late_rate_28d,
        flight_number_history.flight_number_arrivals_28d,

        plane.plane_delay_48h,
        plane.plane_age,
        plane.plane_seats,

        weather.temperature,
        weather.dew_point,
        weather.wind_speed,
        weather.wind_gust,
        weather.precipitation,
        weather.pressure,
        weather.pressure_change_3h,
        weather.visibility
    from schedule
    left join origin_history on schedule.flight_id = origin_history.flight_id
    left join carrier_history on schedule.flight_id = carrier_history.flight_id
    left join route_history on schedule.flight_id = route_history.flight_id
    left join flight_number_history on schedule.flight_id = flight_number_history.flight_id
    left join plane on schedule.flight_id = plane.flight_id
    left join weather on schedule.flight_id = weather.flight_id
)

select * from final

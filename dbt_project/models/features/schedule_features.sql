-- What the timetable says. It is published long before, so flights that leave later may be counted too.
with

flights as (
    select * from {{ ref('stg_flights') }}
),

counted as (
    select
        flight_id,
        as_of,
        carrier,
        origin,
        dest,
        cast({{ snowml.day_of_week('scheduled_local_at') }} as double) as day_of_week,
        cast(
            extract(hour from scheduled_local_at) * 60 + extract(minute from scheduled_local_at) as double
        ) as minute_of_day,
        cast(distance_miles as double) as distance_miles,
        cast(
            count(*) over (
                partition by origin order by scheduled_at
                range between interval '30 minutes' preceding and interval '30 minutes' following
            ) as double
        ) as planned_departures_1h
    from flights
),

final as (
    select * from counted
    where {{ snowml.in_increment('as_of') }}
)

select * from final

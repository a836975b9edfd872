-- How late flights arrived lately: at this destination, and on this route.
with

arrivals as (
    select * from {{ ref('stg_arrivals') }}
),

flights as (
    select * from {{ ref('stg_flights') }}
),

-- Facts at the moment they became known, questions at the moment they are asked.
timeline as (
    select
        cast(null as varchar) as flight_id,
        known_at as moment,
        origin,
        dest,
        arr_delay,
        case when is_late then 1 else 0 end as arrived_late
    from arrivals
    union all
    select
        flight_id,
        as_of as moment,
        origin,
        dest,
        null as arr_delay,
        null as arrived_late
    from flights
),

looked_back as (
    select
        flight_id,
        moment as as_of,
        sum(arr_delay) {{ snowml.known_within('24 hours', by='dest') }} as dest_minutes_24h,
        count(arr_delay) {{ snowml.known_within('24 hours', by='dest') }} as dest_arrivals_24h,
        sum(arr_delay) {{ snowml.known_within('28 days', by=['origin', 'dest']) }} as minutes_28d,
        sum(arrived_late) {{ snowml.known_within('28 days', by=['origin', 'dest']) }} as late_28d,
        count(arr_delay) {{ snowml.known_within('28 days', by=['origin', 'dest']) }} as arrivals_28d
    from timeline
),

final as (
    select
        flight_id,
        as_of,
        {{ snowml.ratio('dest_minutes_24h', 'dest_arrivals_24h') }} as dest_delay_24h,
        {{ snowml.ratio('minutes_28d', 'arrivals_28d') }} as route_delay_28d,
        {{ snowml.ratio('late_28d', 'arrivals_28d') }} as route_late_rate_28d
    from looked_back
    where flight_id is not null
)

select * from final

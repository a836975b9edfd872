-- How the airline is doing: here, by its departures, and everywhere, by its arrivals.
with

departures as (
    select * from {{ ref('stg_departures') }}
),

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
        carrier,
        origin,
        dep_delay,
        cast(null as integer) as arrived_late
    from departures
    union all
    select
        null as flight_id,
        known_at as moment,
        carrier,
        origin,
        null as dep_delay,
        case when is_late then 1 else 0 end as arrived_late
    from arrivals
    union all
    select
        flight_id,
        as_of as moment,
        carrier,
        origin,
        null as dep_delay,
        null as arrived_late
    from flights
),

looked_back as (
    select
        flight_id,
        moment as as_of,
        sum(dep_delay) {{ snowml.known_within('24 hours', by=['carrier', 'origin']) }} as minutes_24h,
        count(dep_delay) {{ snowml.known_within('24 hours', by=['carrier', 'origin']) }} as departures_24h,
        sum(arrived_late) {{ snowml.known_within('7 days', by='carrier') }} as late_7d,
        count(arrived_late) {{ snowml.known_within('7 days', by='carrier') }} as arrivals_7d
    from timeline
),

final as (
    select
        flight_id,
        as_of,
        {{ snowml.ratio('minutes_24h', 'departures_24h') }} as carrier_origin_delay_24h,
        {{ snowml.ratio('late_7d', 'arrivals_7d') }} as carrier_late_rate_7d
    from looked_back
    where flight_id is not null
)

select * from final

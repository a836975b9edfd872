-- How the airport of departure is doing.
with

departures as (
    select * from {{ ref('stg_departures') }}
),

flights as (
    select * from {{ ref('stg_flights') }}
),

-- Facts at the moment they became known, questions at the moment they are asked. A question adds to no sum: its
-- numbers are NULL.
timeline as (
    select
        cast(null as varchar) as flight_id,
        known_at as moment,
        origin,
        dep_delay,
        case when dep_delay >= 15 then 1 else 0 end as left_late,
        case when is_cancelled then 1 else 0 end as was_cancelled
    from departures
    union all
    select
        flight_id,
        as_of as moment,
        origin,
        null as dep_delay,
        null as left_late,
        null as was_cancelled
    from flights
),

looked_back as (
    select
        flight_id,
        moment as as_of,
        sum(dep_delay) {{ snowml.known_within('3 hours', by='origin') }} as minutes_3h,
        sum(left_late) {{ snowml.known_within('3 hours', by='origin') }} as late_3h,
        count(dep_delay) {{ snowml.known_within('3 hours', by='origin') }} as departures_3h,
        sum(was_cancelled) {{ snowml.known_within('6 hours', by='origin') }} as cancelled_6h,
        count(was_cancelled) {{ snowml.known_within('6 hours', by='origin') }} as outcomes_6h
    from timeline
),

final as (
    select
        flight_id,
        as_of,
        {{ snowml.ratio('minutes_3h', 'departures_3h') }} as origin_delay_3h,
        {{ snowml.ratio('late_3h', 'departures_3h') }} as origin_late_rate_3h,
        cast(departures_3h as double) as origin_departures_3h,
        {{ snowml.ratio('cancelled_6h', 'outcomes_6h') }} as origin_cancel_rate_6h
    from looked_back
    where flight_id is not null
)

select * from final

-- The aircraft: how late it has been leaving, and what it is. No row for a flight without a tail number.
with

departures as (
    select * from {{ ref('stg_departures') }}
    where tail_number is not null
),

flights as (
    select * from {{ ref('stg_flights') }}
    where tail_number is not null
),

planes as (
    select * from {{ ref('stg_planes') }}
),

-- Facts at the moment they became known, questions at the moment they are asked.
timeline as (
    select
        cast(null as varchar) as flight_id,
        known_at as moment,
        tail_number,
        dep_delay,
        cast(null as timestamp) as scheduled_at
    from departures
    union all
    select
        flight_id,
        as_of as moment,
        tail_number,
        null as dep_delay,
        scheduled_at
    from flights
),

looked_back as (
    select
        flight_id,
        moment as as_of,
        tail_number,
        scheduled_at,
        sum(dep_delay) {{ snowml.known_within('48 hours', by='tail_number') }} as minutes_48h,
        count(dep_delay) {{ snowml.known_within('48 hours', by='tail_number') }} as departures_48h
    from timeline
),

final as (
    select
        looked_back.flight_id,
        looked_back.as_of,
        {{ snowml.ratio('looked_back.minutes_48h', 'looked_back.departures_48h') }} as plane_delay_48h,
        cast(extract(year from looked_back.scheduled_at) - planes.built_year as double) as plane_age,
        cast(planes.seats as double) as plane_seats
    from looked_back
    left join planes on looked_back.tail_number = planes.tail_number
    where looked_back.flight_id is not null
)

select * from final

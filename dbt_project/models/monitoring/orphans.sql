-- References that lead nowhere, counted rather than hidden: features are NULL for them. Of each, the share that is
-- usual in this data, and what would be worth a look or a stop.
with

flights as (
    select * from {{ ref('stg_flights') }}
),

planes as (
    select * from {{ ref('stg_planes') }}
),

airports as (
    select * from {{ ref('stg_airports') }}
),

airlines as (
    select * from {{ ref('stg_airlines') }}
),

weather as (
    select * from {{ ref('stg_weather') }}
),

checked as (
    select
        count(*) as flights,
        sum(case when flights.tail_number is null then 1 else 0 end) as no_tail_number,
        sum(case when flights.tail_number is not null and planes.tail_number is null then 1 else 0 end) as no_plane,
        sum(case when airports.airport is null then 1 else 0 end) as no_airport,
        sum(case when airlines.carrier is null then 1 else 0 end) as no_airline,
        sum(case when weather.origin is null then 1 else 0 end) as no_weather
    from flights
    left join planes on flights.tail_number = planes.tail_number
    left join airports on flights.dest = airports.airport
    left join airlines on flights.carrier = airlines.carrier
    left join weather
        on
            flights.origin = weather.origin
            and date_trunc('hour', flights.scheduled_at) = weather.observed_at
),

counted as (
    select 'tail number' as relation, flights, no_tail_number as orphans, 0.01 as warn_above, 0.05 as fail_above
    from checked
    union all
    select 'plane' as relation, flights, no_plane as orphans, 0.16 as warn_above, 0.25 as fail_above
    from checked
    union all
    select 'destination airport' as relation, flights, no_airport as orphans, 0.03 as warn_above, 0.05 as fail_above
    from checked
    union all
    select 'airline' as relation, flights, no_airline as orphans, 0.0 as warn_above, 0.0 as fail_above
    from checked
    union all
    select 'weather' as relation, flights, no_weather as orphans, 0.01 as warn_above, 0.05 as fail_above
    from checked
),

final as (
    select
        relation,
        flights,
        cast(orphans as bigint) as orphans,
        {{ snowml.ratio('orphans', 'flights') }} as orphan_share,
        cast(warn_above as double) as warn_above,
        cast(fail_above as double) as fail_above
    from counted
)

select * from final

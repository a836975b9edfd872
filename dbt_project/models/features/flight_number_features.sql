-- How late this very connection arrived lately: the same carrier's flight of the same number.
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
        carrier,
        flight_number,
        case when is_late then 1 else 0 end as arrived_late
    from arrivals
    union all
    select
        flight_id,
        as_of as moment,
        carrier,
        flight_number,
        null as arrived_late
    from flights
),

looked_back as (
    select
        flight_id,
        moment as as_of,
        sum(arrived_late) {{ snowml.known_within('28 days', by=['carrier', 'flight_number']) }} as late_28d,
        count(arrived_late) {{ snowml.known_within('28 days', by=['carrier', 'flight_number']) }} as arrivals_28d
    from timeline
),

final as (
    select
        flight_id,
        as_of,
        {{ snowml.ratio('late_28d', 'arrivals_28d') }} as flight_number_late_rate_28d,
        cast(arrivals_28d as double) as flight_number_arrivals_28d
    from looked_back
    where flight_id is not null
)

select * from final

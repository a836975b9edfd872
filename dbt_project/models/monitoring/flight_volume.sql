-- Flights planned for each local day, against the same weekday of the four weeks before: half a load shows here first.
with

flights as (
    select * from {{ ref('stg_flights') }}
),

days as (
    select
        date_trunc('day', scheduled_local_at) as flight_day,
        count(*) as flights
    from flights
    group by 1
),

expected as (
    select
        days.flight_day,
        days.flights,
        {{ snowml.ratio('sum(earlier.flights)', 'count(earlier.flights)') }} as expected_flights
    from days
    left join days as earlier
        on
            days.flight_day > earlier.flight_day
            and days.flight_day <= earlier.flight_day + interval '28 days'
            and {{ snowml.day_of_week('days.flight_day') }} = {{ snowml.day_of_week('earlier.flight_day') }}
    group by 1, 2
),

final as (
    select
        cast(flight_day as date) as flight_day,
        flights,
        expected_flights,
        flights / nullif(expected_flights, 0) as ratio_to_expected
    from expected
)

select * from final

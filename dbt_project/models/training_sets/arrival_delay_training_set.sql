-- Flights whose arrival is known by the as_of var, with its delay in minutes.
with

features as (
    select * from {{ ref('flight_features') }}
),

arrivals as (
    select * from {{ ref('stg_arrivals') }}
),

final as (
    select
        features.*,
        cast(arrivals.arr_delay as double) as arr_delay,
        arrivals.known_at as label_known_at
    from features
    inner join arrivals on features.flight_id = arrivals.flight_id
    where arrivals.known_at <= {{ snowml.as_of() }}
)

select * from final

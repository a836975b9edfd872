-- Flights whose arrival is known by the as_of var, with whether it was late.
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
        arrivals.is_late,
        arrivals.known_at as label_known_at
    from features
    inner join arrivals on features.flight_id = arrivals.flight_id
    where arrivals.known_at <= {{ snowml.as_of() }}
)

select * from final

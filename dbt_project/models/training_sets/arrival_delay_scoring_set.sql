-- Flights to predict: of the last `scoring_days` before the as_of var, cancelled ones too, for nobody knew.
with

features as (
    select * from {{ ref('flight_features') }}
),

final as (
    select *
    from features
    where
        as_of >= {{ snowml.as_of() }} - interval '{{ var("scoring_days") }} days'
        and as_of < {{ snowml.as_of() }}
)

select * from final

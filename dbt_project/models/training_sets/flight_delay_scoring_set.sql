-- Flights to predict: of the last `scoring_days` before the as_of var, cancelled ones too, for nobody knew.
{{ snowml.scoring_set(
    spine=ref('stg_flights'),
    features=[ref('flight_features')],
    over=var('scoring_days') ~ ' days'
) }}

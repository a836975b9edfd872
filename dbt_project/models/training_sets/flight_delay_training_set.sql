-- Flights whose arrival is known by the as_of var, with whether it was late.
{{ snowml.training_set(
    spine=ref('stg_flights'),
    features=[ref('flight_features')],
    label={'from': ref('stg_arrivals'), 'columns': 'is_late', 'within': '3 days'}
) }}

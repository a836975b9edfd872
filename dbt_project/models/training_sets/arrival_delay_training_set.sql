-- Flights whose arrival is known by the as_of var, with its delay in minutes.
{{ snowml.training_set(
    spine=ref('stg_flights'),
    features=[ref('flight_features')],
    label={'from': ref('stg_arrivals'), 'columns': {'arr_delay': 'cast(arr_delay as double)'}, 'within': '3 days'}
) }}

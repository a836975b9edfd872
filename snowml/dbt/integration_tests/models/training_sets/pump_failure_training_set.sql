-- Inspections of which it is known whether the pump broke down.
{{ snowml.training_set(
    spine=ref('inspections'),
    features=[ref('pump_features')],
    label={'from': ref('outcomes'), 'columns': 'outcome', 'within': '9 days'}
) }}

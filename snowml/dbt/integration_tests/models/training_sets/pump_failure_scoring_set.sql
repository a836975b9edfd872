-- The inspections of the last week.
{{ snowml.scoring_set(
    spine=ref('inspections'),
    features=[ref('pump_features')],
    over='7 days'
) }}

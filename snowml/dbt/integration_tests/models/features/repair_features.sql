-- What was repaired.
{{ snowml.rolling(
    spine=ref('inspections'),
    histories=[
        {'from': ref('stg_repairs'), 'by': ['site', 'pump_number'], 'features': {
            'repairs_60d': 'count(*) over 60 days',
            'repair_cost_60d': 'sum(cost) over 60 days',
        }},
        {'from': ref('stg_repairs'), 'by': 'site', 'features': {
            'site_causes_60d': 'distinct(cause) over 60 days',
        }},
    ],
    exclusive=true
) }}

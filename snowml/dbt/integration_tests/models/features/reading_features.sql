-- What the sensors said lately.
{{ snowml.rolling(
    spine=ref('inspections'),
    histories=[
        {'from': ref('sound_readings'), 'by': ['site', 'pump_number'], 'features': {
            'readings_24h': 'count(*) over 24 hours',
            'vibration_24h': 'mean(vibration) over 24 hours',
            'vibration_7d': 'mean(vibration) over 7 days',
            'hottest_7d': 'max(temperature) over 7 days',
            'coldest_7d': 'min(temperature) over 7 days',
            'idle_rate_7d': 'rate(not is_running) over 7 days',
            'qualities_7d': 'distinct(quality) over 7 days',
        }},
        {'from': ref('sound_readings'), 'by': 'site', 'lag': '1 hour', 'features': {
            'site_vibration_24h': 'mean(vibration) over 24 hours',
        }},
    ]
) }}

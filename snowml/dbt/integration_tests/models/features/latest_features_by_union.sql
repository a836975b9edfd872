-- The same by the other plan.
{{ snowml.point_in_time_join(
    spine=ref('inspections'),
    histories=[
        {
            'from': ref('sound_readings'),
            'by': ['site', 'pump_number'],
            'columns': {'last_vibration': 'cast(vibration as double)', 'last_quality': 'quality', 'last_running': 'is_running'},
            'max_age': '12 hours',
            'newest_by': 'read_at',
        },
        {
            'from': ref('stg_repairs'),
            'by': ['site', 'pump_number'],
            'columns': {'last_cause': 'cause', 'last_repair_at': 'paid_at'},
        },
        {
            'from': ref('stg_tariffs'),
            'by': 'site',
            'columns': ['price'],
            'lag': '1 day',
            'newest_by': 'revision',
        },
    ],
    plan='union'
) }}

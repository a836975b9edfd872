-- Every feature of every inspection.
with

joined as (
    {{ snowml.join_features(
        spine=ref('inspections'),
        features=[ref('reading_features'), ref('repair_features'), ref('latest_features')],
        keep=['model_code', 'installed_on']
    ) }}
),

final as (
    select
        site,
        pump_number,
        as_of,
        model_code,
        cast({{ dbt.datediff('installed_on', 'as_of', 'day') }} as double) as age_days,
        readings_24h,
        vibration_24h,
        vibration_7d,
        site_vibration_24h,
        cast(hottest_7d - coldest_7d as double) as temperature_range_7d,
        idle_rate_7d,
        qualities_7d,
        repairs_60d,
        repair_cost_60d,
        site_causes_60d,
        last_vibration,
        last_quality,
        last_running,
        last_cause,
        cast({{ dbt.datediff('last_repair_at', 'as_of', 'day') }} as double) as days_since_repair,
        cast(price as double) as price
    from joined
)

select * from final

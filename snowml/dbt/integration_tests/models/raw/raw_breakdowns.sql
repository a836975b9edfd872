-- Each pump breaks down about once in its cycle.
with

pumps as (
    select * from {{ ref('raw_pumps') }}
),

cycles as (
    select * from {{ numbers(12) }} as numbers
),

final as (
    select
        pumps.site,
        pumps.pump_number,
        {{ dbt.dateadd(
            'minute',
            "cast(1440 * (pumps.cycle_days * (cycles.n + 0.9 * " ~ chance(['pumps.site', 'pumps.pump_number', 'cycles.n'], 'break')
                ~ ") + 3) as integer)",
            "cast('2024-01-01' as timestamp)"
        ) }} as broke_at
    from pumps
    cross join cycles
)

select * from final
where broke_at < cast('2024-07-10' as timestamp)

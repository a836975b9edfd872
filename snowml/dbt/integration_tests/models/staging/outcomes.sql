-- The label: whether the pump breaks down within a week of its inspection. Known when the repair is paid; that there was
-- none, two days after the week, for no bill takes longer.
with

inspections as (
    select * from {{ ref('inspections') }}
),

repairs as (
    select * from {{ ref('stg_repairs') }}
),

next_breakdowns as (
    select
        inspections.site,
        inspections.pump_number,
        inspections.as_of,
        min(repairs.paid_at) as paid_at
    from inspections
    left join repairs
        on
            inspections.site = repairs.site
            and inspections.pump_number = repairs.pump_number
            and inspections.as_of < repairs.broke_at
            and inspections.as_of + interval '7 days' >= repairs.broke_at
    group by 1, 2, 3
),

final as (
    select
        site,
        pump_number,
        as_of,
        case when paid_at is null then 'holds' else 'fails' end as outcome,
        coalesce(paid_at, as_of + interval '9 days') as known_at
    from next_breakdowns
)

select * from final

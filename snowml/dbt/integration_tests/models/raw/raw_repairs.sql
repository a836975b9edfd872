-- What a breakdown leads to: a repair, entered when it is paid.
with

breakdowns as (
    select * from {{ ref('raw_breakdowns') }}
),

final as (
    select
        site,
        pump_number,
        broke_at,
        {{ dbt.dateadd('hour', "cast(6 + 36 * " ~ chance(['site', 'pump_number', snowml.minute_text('broke_at')], 'paid') ~ " as integer)", 'broke_at') }}
            as paid_at,
        case {{ snowml.bucket(['site', 'pump_number'], 3, 'cause') }} when 0 then 'bearing' when 1 then 'seal' end as cause,
        cast(100 + 900 * {{ chance(['site', 'pump_number', snowml.minute_text('broke_at')], 'cost') }} as decimal(10, 2)) as cost
    from breakdowns
)

select * from final

-- The spine: every pump is looked at each morning at six, from February on.
with

pumps as (
    select * from {{ ref('stg_pumps') }}
),

final as (
    select
        pumps.site,
        pumps.pump_number,
        {{ dbt.dateadd('hour', '24 * numbers.n + 6', "cast('2024-02-01' as timestamp)") }} as as_of,
        pumps.model_code,
        pumps.installed_on
    from pumps
    cross join {{ numbers(160) }} as numbers
)

select * from final

-- A reading every six hours, which vibrates the more the nearer the breakdown. Some come late, one in two hundred is
-- impossible, and some never come.
with

pumps as (
    select * from {{ ref('raw_pumps') }}
),

breakdowns as (
    select * from {{ ref('raw_breakdowns') }}
),

moments as (
    select
        pumps.site,
        pumps.pump_number,
        numbers.n,
        {{ dbt.dateadd('hour', '6 * numbers.n', "cast('2024-01-01' as timestamp)") }} as read_at
    from pumps
    cross join {{ numbers(760) }} as numbers
),

ahead as (
    select
        moments.site,
        moments.pump_number,
        moments.n,
        moments.read_at,
        min({{ dbt.datediff('moments.read_at', 'breakdowns.broke_at', 'hour') }}) as hours_left
    from moments
    left join breakdowns
        on
            moments.site = breakdowns.site
            and moments.pump_number = breakdowns.pump_number
            and moments.read_at <= breakdowns.broke_at
    group by 1, 2, 3, 4
),

chances as (
    select
        *,
        {{ chance(['site', 'pump_number', 'n'], 'noise') }} as noise,
        {{ chance(['site', 'pump_number', 'n'], 'late') }} as late,
        {{ chance(['site', 'pump_number', 'n'], 'dirt') }} as dirt
    from ahead
),

final as (
    select
        site,
        pump_number,
        read_at,
        {{ dbt.dateadd(
            'minute', 'case when late < 0.02 then cast(86400 * late as integer) else 1 end', 'read_at'
        ) }} as arrived_at,
        case
            when dirt < 0.005 then -1
            else 2 + 6 * noise + 4 * exp(-coalesce(hours_left, 1000) / 48.0)
        end as vibration,
        cast(case when dirt > 0.01 then 40 + 15 * noise + n % 4 end as decimal(5, 2)) as temperature,
        noise < 0.97 as is_running,
        case when noise < 0.8 then 'good' when noise < 0.95 then 'fair' else 'poor' end as quality
    from chances
    where dirt < 0.98
)

select * from final

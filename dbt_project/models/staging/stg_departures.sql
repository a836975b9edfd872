-- What came of each scheduled departure: it left, or it was cancelled.
with

source as (
    select * from {{ ref('base_flights') }}
),

renamed as (
    select
        flight_id,
        carrier,
        origin,
        tail_number,
        scheduled_at,
        dep_delay,
        dep_delay is null as is_cancelled,
        -- By the delay, not by the clock reading, which would leave the day open.
        {{ dbt.dateadd('minute', 'dep_delay', 'scheduled_at') }} as departed_at
    from source
),

final as (
    select
        *,
        case
            when is_cancelled then {{ dbt.dateadd('minute', var('cancellation_known_minutes'), 'scheduled_at') }}
            else departed_at
        end as known_at
    from renamed
)

select * from final

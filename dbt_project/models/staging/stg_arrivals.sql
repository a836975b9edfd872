-- The arrivals: of flights that left and came down where they were meant to. Cancelled and diverted flights have none.
with

source as (
    select * from {{ ref('base_flights') }}
    where arr_delay is not null
),

renamed as (
    select
        flight_id,
        carrier,
        flight_number,
        origin,
        dest,
        arr_delay,
        arr_delay >= 15 as is_late,
        {{ dbt.dateadd('minute', 'dep_delay', 'scheduled_at') }} as departed_at,
        air_minutes
    from source
),

final as (
    select
        *,
        -- Not from the clock reading of the arrival: its time zone is unknown for four destinations.
        {{ dbt.dateadd('minute', 'air_minutes + ' ~ var('arrival_known_minutes'), 'departed_at') }} as known_at
    from renamed
)

select * from final

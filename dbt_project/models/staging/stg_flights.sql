-- The schedule: known long before any flight is predicted, so it has no known_at.
with

source as (
    select * from {{ ref('base_flights') }}
),

renamed as (
    select
        flight_id,
        carrier,
        flight_number,
        origin,
        dest,
        scheduled_at,
        {{ snowml.local_time('scheduled_at', 'America/New_York') }} as scheduled_local_at,
        scheduled_local_hour,
        tail_number,
        distance_miles
    from source
),

final as (
    select
        *,
        scheduled_at - interval '2 hours' as as_of
    from renamed
)

select * from final

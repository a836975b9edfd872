-- Raw flights, typed and keyed once. What it says becomes known at three different times, so it is never read by a
-- feature: stg_flights, stg_departures and stg_arrivals each hand on what is known at one of them.
with

source as (
    select * from {{ source('raw', 'flights') }}
),

renamed as (
    select
        carrier,
        flight as flight_number,
        origin,
        dest,
        {{ snowml.utc('time_hour') }} as scheduled_hour,
        minute as scheduled_minute,
        hour as scheduled_local_hour,
        -- 2,512 flights, all of them cancelled, have no tail number.
        nullif(tailnum, '') as tail_number,
        distance as distance_miles,
        dep_delay,
        arr_delay,
        air_time as air_minutes
    from source
),

timed as (
    select
        *,
        -- From the UTC hour: the local clock readings in the data are ambiguous when clocks go back, and write
        -- midnight as 2400. `timestamp` is without zone on both engines, in UTC throughout.
        {{ dbt.dateadd('minute', 'scheduled_minute', 'scheduled_hour') }} as scheduled_at
    from renamed
),

final as (
    select
        {{ snowml.minute_text('scheduled_at') }}
        || '-' || carrier
        || '-' || cast(flight_number as varchar)
        || '-' || origin as flight_id,
        *
    from timed
)

select * from final

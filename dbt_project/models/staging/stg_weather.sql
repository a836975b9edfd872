-- Hourly weather at the origins.
with

source as (
    select * from {{ source('raw', 'weather') }}
),

renamed as (
    select
        origin,
        {{ snowml.utc('time_hour') }} as observed_at,
        temp as temperature,
        dewp as dew_point,
        wind_speed,
        wind_gust,
        precip as precipitation,
        pressure,
        visib as visibility
    from source
),

final as (
    select
        origin,
        observed_at,
        -- The reading stands for its hour, so it is known when the hour is over.
        observed_at + interval '1 hour' as known_at,
        -- NaN and NULL are one missing value from here on.
        nullif(temperature, cast('nan' as double)) as temperature,
        nullif(dew_point, cast('nan' as double)) as dew_point,
        -- One reading says 1048 mph: no wind at an airport was ever above 100. NaN is above it too.
        case when wind_speed <= 100 then wind_speed end as wind_speed,
        case when wind_gust <= 150 then wind_gust end as wind_gust,
        nullif(precipitation, cast('nan' as double)) as precipitation,
        nullif(pressure, cast('nan' as double)) as pressure,
        nullif(visibility, cast('nan' as double)) as visibility
    from renamed
)

select * from final

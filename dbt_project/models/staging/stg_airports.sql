-- Airports: known long before any flight.
with

source as (
    select * from {{ source('raw', 'airports') }}
),

renamed as (
    select
        faa as airport,
        name as airport_name,
        lat as latitude,
        lon as longitude,
        tzone as time_zone
    from source
)

select * from renamed

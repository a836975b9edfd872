-- The register of aircraft: known long before any flight.
with

source as (
    select * from {{ source('raw', 'planes') }}
),

renamed as (
    select
        tailnum as tail_number,
        year as built_year,
        type as aircraft_type,
        manufacturer,
        model,
        -- Left out: speed, which 99 in 100 do not have.
        seats
    from source
)

select * from renamed

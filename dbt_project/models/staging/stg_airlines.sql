-- Names of the carriers: known long before any flight.
with

source as (
    select * from {{ source('raw', 'airlines') }}
),

renamed as (
    select
        carrier,
        name as carrier_name
    from source
)

select * from renamed

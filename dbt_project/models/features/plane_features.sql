-- The aircraft: how late it has been leaving, and what it is. Flights without a tail number have no plane.
with

looked_back as (
    {{ snowml.rolling(
        spine=ref('stg_flights'),
        histories=[
            {'from': ref('stg_departures'), 'by': 'tail_number', 'features': {
                'plane_delay_48h': 'mean(dep_delay) over 48 hours',
            }},
        ],
        keep=['tail_number', 'scheduled_at']
    ) }}
),

planes as (
    select * from {{ ref('stg_planes') }}
),

final as (
    select
        looked_back.flight_id,
        looked_back.as_of,
        looked_back.plane_delay_48h,
        cast(extract(year from looked_back.scheduled_at) - planes.built_year as double) as plane_age,
        cast(planes.seats as double) as plane_seats
    from looked_back
    left join planes on looked_back.tail_number = planes.tail_number
)

select * from final

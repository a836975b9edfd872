-- Repairs, known when they are paid.
select
    site,
    pump_number,
    broke_at,
    paid_at,
    cause,
    cost
from {{ ref('raw_repairs') }}

-- Sensor readings. Vibration as a decimal, so that sums are exact.
select
    site,
    pump_number,
    read_at,
    arrived_at,
    cast(vibration as decimal(9, 4)) as vibration,
    temperature,
    is_running,
    quality
from {{ ref('raw_readings') }}

-- What the workshop's bills come to, by pump.
select
    site,
    pump_number,
    count(*) as repairs,
    sum(cost) as total_cost
from {{ ref('raw_repairs') }}
group by 1, 2

-- Four sites with six pumps each.
select
    'site ' || substr('NESW', cast(floor(n / 6) as integer) + 1, 1) as site,
    n % 6 + 1 as pump_number,
    case n % 3 when 0 then 'Centrifugal-7' when 1 then 'Gear-2' else 'Vane-X' end as model_code,
    cast({{ dbt.dateadd('day', '-37 * n', "cast('2023-12-01' as date)") }} as date) as installed_on,
    cast(20 + n % 5 * 7.5 as decimal(6, 2)) as rated_flow,
    -- Breaks down that often: nothing says so in the readings.
    17 + {{ snowml.bucket(['n'], 20, 'cycle') }} as cycle_days
from {{ numbers(24) }} as numbers

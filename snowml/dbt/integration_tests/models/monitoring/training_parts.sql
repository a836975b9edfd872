-- How the training set divides: by time, and with all rows of a pump on one side.
select
    {{ snowml.split(validation='30 days', test='30 days') }} as part_by_time,
    {{ snowml.split(by=['site', 'pump_number'], validation=0.15, test=0.15) }} as part_by_pump,
    count(*) as rows_in_both
from {{ ref('pump_failure_training_set') }}
group by 1, 2

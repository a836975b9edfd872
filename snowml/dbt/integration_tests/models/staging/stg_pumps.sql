-- The register of pumps: known before any inspection.
select
    site,
    pump_number,
    model_code,
    installed_on,
    rated_flow
from {{ ref('raw_pumps') }}

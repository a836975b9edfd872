-- Electricity tariffs, known when they are published.
select
    site,
    published_at,
    revision,
    price
from {{ ref('raw_tariffs') }}

-- What electricity costs at a site; a tariff may be published twice, and then the later revision is right.
select
    pumps.site,
    {{ dbt.dateadd('day', '30 * numbers.n', "cast('2024-01-01' as timestamp)") }} as published_at,
    revisions.n + 1 as revision,
    cast(0.2 + 0.01 * numbers.n + 0.005 * revisions.n as decimal(6, 4)) as price
from (select distinct site from {{ ref('raw_pumps') }}) as pumps
cross join {{ numbers(7) }} as numbers
cross join {{ numbers(2) }} as revisions
where revisions.n = 0 or numbers.n % 3 = 0

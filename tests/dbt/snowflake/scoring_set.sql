select features.*
from (
select
  asked.*,
  features_1.* exclude (shop, visit, asked_at)
from (
    select
      shop,
      visit,
      asked_at
    from (select * from "lab"."main"."asked") as spine
    where asked_at <= cast('2024-07-01 00:00:00' as timestamp) and asked_at >= cast('2024-07-01 00:00:00' as timestamp) - interval '7 days'
) as asked
left join (
  select * from "lab"."main"."rolling" where asked_at >= cast('2024-07-01 00:00:00' as timestamp) - interval '7 days'
) as features_1
  on asked.shop = features_1.shop and asked.visit = features_1.visit and asked.asked_at = features_1.asked_at
) as features
where features.asked_at < cast('2024-07-01 00:00:00' as timestamp)

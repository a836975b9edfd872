select
  features.*,
  labels.outcome,
  labels.label_known_at
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
    where asked_at <= cast('2024-07-01 00:00:00' as timestamp)
) as asked
left join (
  select * from "lab"."main"."rolling"
) as features_1
  on asked.shop = features_1.shop and asked.visit = features_1.visit and asked.asked_at = features_1.asked_at
) as features
inner join (
  select
    facts.shop,
    facts.visit,
    facts.outcome,
    facts.told_at as label_known_at
  from (select * from "lab"."main"."outcomes") as facts
  where facts.told_at <= cast('2024-07-01 00:00:00' as timestamp)
) as labels
  on features.shop = labels.shop and features.visit = labels.visit

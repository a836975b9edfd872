select
  asked.shop,
  asked.visit,
  asked.asked_at,
  case when history_1.snowml_known_at >= asked.asked_at - interval '7 days' then history_1.amount end as amount,
  history_2.last_kind
from (
    select
      shop,
      visit,
      asked_at
    from (select * from "lab"."main"."asked") as spine
    where asked_at <= cast('2024-07-01 00:00:00' as timestamp)
) as asked
asof join (
    select
      facts.shop as shop,
      case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end as snowml_known_at,
      facts.amount as amount
    from (select * from "lab"."main"."sales") as facts
    where
      case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end <= cast('2024-07-01 00:00:00' as timestamp)
      and facts.shop is not null
    qualify row_number() over (
      partition by facts.shop, case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end
      order by facts.kind desc nulls last
    ) = 1
) as history_1
  match_condition (asked.asked_at >= history_1.snowml_known_at)
  on asked.shop = history_1.shop
asof join (
    select
      facts.shop as shop,
      case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end as snowml_known_at,
      kind as last_kind
    from (select * from "lab"."main"."sales") as facts
    where
      case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end <= cast('2024-07-01 00:00:00' as timestamp)
      and facts.shop is not null
) as history_2
  match_condition (asked.asked_at >= history_2.snowml_known_at)
  on asked.shop = history_2.shop

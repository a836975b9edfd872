select
  answered.shop,
  answered.visit,
  answered.asked_at,
  answered.amount
from (
    select
      grouped.shop,
      grouped.visit,
      grouped.asked_at,
      case when first_value(grouped.snowml_known_at) over (
        partition by grouped.shop, grouped.snowml_group order by grouped.snowml_asked
      ) >= grouped.asked_at - interval '7 days' then first_value(grouped.amount) over (
        partition by grouped.shop, grouped.snowml_group order by grouped.snowml_asked
      ) end as amount
    from (
      select
        time_line.*,
        sum(1 - time_line.snowml_asked) over (
          partition by time_line.shop
          order by time_line.snowml_moment, time_line.snowml_asked
          rows between unbounded preceding and current row
        ) as snowml_group
      from (
        select
          asked.shop,
          asked.visit,
          asked.asked_at,
          asked.asked_at as snowml_moment,
          cast(null as timestamp) as snowml_known_at,
          null as amount,
          1 as snowml_asked
        from (
    select
      shop,
      visit,
      asked_at
    from (select * from "lab"."main"."asked") as spine
    where asked_at <= cast('2024-07-01 00:00:00' as timestamp)
        ) as asked
        union all
        select
          facts.shop as shop,
          null as visit,
          null as asked_at,
          facts.snowml_known_at as snowml_moment,
          facts.snowml_known_at,
          facts.amount,
          0 as snowml_asked
        from (
    select
      facts.shop as shop,
      case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end as snowml_known_at,
      facts.amount as amount
    from (select * from "lab"."main"."sales") as facts
    where
      case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end <= cast('2024-07-01 00:00:00' as timestamp)
      and facts.shop is not null
        ) as facts
      ) as time_line
    ) as grouped
    qualify grouped.snowml_asked = 1
) as answered

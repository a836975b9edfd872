select
  looked_back.shop,
  looked_back.visit,
  looked_back.snowml_moment as asked_at,
  cast(looked_back.snowml_window_1 as double) / nullif(looked_back.snowml_window_2, 0) as mean_1d,
  cast(coalesce(looked_back.snowml_window_3, 0) as double) as kinds_6h
from (
  select
    time_line.*,
    sum(time_line.snowml_input_1) over (
      partition by time_line.shop
      order by time_line.snowml_moment range between interval '1 day' preceding and interval '1 microsecond' preceding
    ) as snowml_window_1,
    count(time_line.snowml_input_1) over (
      partition by time_line.shop
      order by time_line.snowml_moment range between interval '1 day' preceding and interval '1 microsecond' preceding
    ) as snowml_window_2,
    sum(time_line.snowml_input_2) over (
      partition by time_line.shop
      order by time_line.snowml_moment range between unbounded preceding and interval '1 microsecond' preceding
    ) as snowml_window_3
  from (
    -- Questions at the moment they are asked: they add to no sum, since their numbers are NULL.
    select
      asked.shop,
      asked.visit,
      asked.asked_at as snowml_moment,
      null as snowml_input_1,
      null as snowml_input_2,
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
      case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end + interval '1 hour' as snowml_moment,
      amount as snowml_input_1,
      null as snowml_input_2,
      0 as snowml_asked
    from (select * from "lab"."main"."sales") as facts
    where
      case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end + interval '1 hour' <= cast('2024-07-01 00:00:00' as timestamp)
      and facts.shop is not null
    union all
    select
      facts.shop as shop,
      null as visit,
      facts.snowml_moment as snowml_moment,
      null as snowml_input_1,
      1 as snowml_input_2,
      0 as snowml_asked
    from (
      select
        valued.*,
        lead(valued.snowml_moment) over (
          partition by valued.shop, valued.snowml_value order by valued.snowml_moment
        ) as snowml_next
      from (
        select
          facts.shop as shop,
          case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end + interval '1 hour' as snowml_moment,
          kind as snowml_value
    from (select * from "lab"."main"."sales") as facts
    where
      case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end + interval '1 hour' <= cast('2024-07-01 00:00:00' as timestamp)
      and facts.shop is not null
      ) as valued
      where valued.snowml_value is not null
    ) as facts
    union all
    select
      facts.shop as shop,
      null as visit,
      case when facts.snowml_next <= facts.snowml_moment + interval '6 hours' then facts.snowml_next else facts.snowml_moment + interval '6 hours' end as snowml_moment,
      null as snowml_input_1,
      -1 as snowml_input_2,
      0 as snowml_asked
    from (
      select
        valued.*,
        lead(valued.snowml_moment) over (
          partition by valued.shop, valued.snowml_value order by valued.snowml_moment
        ) as snowml_next
      from (
        select
          facts.shop as shop,
          case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end + interval '1 hour' as snowml_moment,
          kind as snowml_value
    from (select * from "lab"."main"."sales") as facts
    where
      case when facts.loaded_at > facts.sold_at then facts.loaded_at else facts.sold_at end + interval '1 hour' <= cast('2024-07-01 00:00:00' as timestamp)
      and facts.shop is not null
      ) as valued
      where valued.snowml_value is not null
    ) as facts
  ) as time_line
) as looked_back
where looked_back.snowml_asked = 1

select *
from (
  select
    judged.*,
    rtrim(
      case when not (amount > 0) then 'a, ' else '' end ||
      case when not (kind <> 'x') then 'b, ' else '' end,
      ', '
    ) as broken
  from (select * from "lab"."main"."sales") as judged
) as marked
where broken <> ''

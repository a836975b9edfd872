select *
from "lab"."main"."sales"
where
  coalesce(amount is not null, true)

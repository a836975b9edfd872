create or replace view "SHOP"."SNOWML"."SNOWML_LATENESS_MONITOR_SOURCE" comment = 'snowml deploy #'
as select cast(s."ID" as varchar) as "ID", cast(s."AS_OF" as timestamp_ntz) as "AS_OF", s."SPEED", s."Wind ""Gust"" m/s?", s."TOWN", cast(p.score as float) as "SNOWML_PREDICTION", iff(t."LATE" is null, null, iff(t."LATE" = true, 1, 0)) as "SNOWML_ACTUAL"
from "SHOP"."MAIN"."TRAINING_SET" as s
inner join "SHOP"."MAIN"."LATENESS_PREDICTIONS" as p on p."ID" = s."ID" and p."AS_OF" = s."AS_OF" and p.model_version = 1
left join "SHOP"."MAIN"."TRAINING_SET" as t on t."ID" = s."ID" and t."AS_OF" = s."AS_OF";

create or replace table "SHOP"."SNOWML"."SNOWML_LATENESS_MONITOR_BASELINE" comment = 'snowml deploy #'
as select cast(t."ID" as varchar) as "ID", cast(t."AS_OF" as timestamp_ntz) as "AS_OF", t."SPEED", t."Wind ""Gust"" m/s?", t."TOWN", cast("SHOP"."MAIN"."PREDICT_LATENESS_V1_PROBA"(t."SPEED", t."Wind ""Gust"" m/s?", t."TOWN") as float) as "SNOWML_PREDICTION", iff(t."LATE" is null, null, iff(t."LATE" = true, 1, 0)) as "SNOWML_ACTUAL"
from "SHOP"."MAIN"."TRAINING_SET" as t
where t."AS_OF" >= '2013-03-17 00:00:00'::timestamp_ntz and t."AS_OF" < '2013-04-01 00:00:00'::timestamp_ntz and t."KNOWN_AT" <= '2013-04-01 00:00:00'::timestamp_ntz;

create or replace model monitor "SHOP"."SNOWML"."SNOWML_LATENESS_MONITOR" with
model = "SHOP"."SNOWML"."LATENESS"
version = 'V1'
function = 'predict_proba'
source = "SHOP"."SNOWML"."SNOWML_LATENESS_MONITOR_SOURCE"
baseline = "SHOP"."SNOWML"."SNOWML_LATENESS_MONITOR_BASELINE"
warehouse = "TRANSFORMING"
refresh_interval = '120 minutes'
aggregation_window = '7 days'
timestamp_column = "AS_OF"
id_columns = ('ID')
prediction_score_columns = ('SNOWML_PREDICTION')
actual_class_columns = ('SNOWML_ACTUAL')
comment = 'snowml deploy #';

create or replace stream "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_RAW_ORDERS" on table "SHOP"."RAW"."ORDERS"
append_only = true show_initial_rows = true comment = 'snowml deploy #';

create or replace task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_FEATURES"
user_task_managed_initial_warehouse_size = 'SMALL'
serverless_task_min_statement_size = 'XSMALL'
serverless_task_max_statement_size = 'LARGE'
schedule = 'USING CRON 0 6 * * * Europe/Berlin'
allow_overlapping_execution = false
statement_timeout_in_seconds = 3600
user_task_timeout_ms = 3660000
suspend_task_after_num_failures = 3
comment = 'snowml deploy #'
task_auto_retry_attempts = 1
when system$stream_has_data('"SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_RAW_ORDERS"')
as call "SHOP"."ANALYTICS"."RUN_TASK"('0 6 * * * Europe/Berlin', 'features');

create or replace task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_SCORE_LATENESS"
user_task_managed_initial_warehouse_size = 'SMALL'
serverless_task_min_statement_size = 'XSMALL'
serverless_task_max_statement_size = 'LARGE'
statement_timeout_in_seconds = 3600
user_task_timeout_ms = 3660000
comment = 'snowml deploy #'
after "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_FEATURES"
as call "SHOP"."ANALYTICS"."RUN_TASK"('0 6 * * * Europe/Berlin', 'score_lateness');

create or replace task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_MONITOR_LATENESS"
user_task_managed_initial_warehouse_size = 'SMALL'
serverless_task_min_statement_size = 'XSMALL'
serverless_task_max_statement_size = 'LARGE'
statement_timeout_in_seconds = 3600
user_task_timeout_ms = 3660000
comment = 'snowml deploy #'
after "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_SCORE_LATENESS"
as call "SHOP"."ANALYTICS"."RUN_TASK"('0 6 * * * Europe/Berlin', 'monitor_lateness');

create or replace task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_RETRAIN_LATENESS"
warehouse = "TRAINING"
statement_timeout_in_seconds = 3600
user_task_timeout_ms = 3660000
comment = 'snowml deploy #'
after "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_MONITOR_LATENESS"
as call "SHOP"."ANALYTICS"."RUN_TASK"('0 6 * * * Europe/Berlin', 'retrain_lateness');

create or replace task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_FINALIZE"
user_task_managed_initial_warehouse_size = 'SMALL'
serverless_task_min_statement_size = 'XSMALL'
serverless_task_max_statement_size = 'LARGE'
statement_timeout_in_seconds = 3600
user_task_timeout_ms = 3660000
comment = 'snowml deploy #'
finalize = "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_FEATURES"
as call "SHOP"."ANALYTICS"."RUN_TASK"('0 6 * * * Europe/Berlin', 'finalize');

create or replace alert "SHOP"."SNOWML"."SNOWML_RETRAINING"
schedule = 'USING CRON 0 * * * * UTC'
comment = 'snowml deploy #'
if (exists (select 1 from "SHOP"."SNOWML"."MESSAGES" where kind = 'retraining' and told_at > convert_timezone('UTC', snowflake.alert.last_successful_scheduled_time())::timestamp_ntz))
then call system$send_email('mail', 'a@example.com', 'snowml: a model was trained again', 'The view messages of the registry, or snowml tasks messages, says more (retraining).');

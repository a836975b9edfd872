-- create schema snowml
create schema if not exists "SHOP"."SNOWML";

-- create schema analytics
create schema if not exists "SHOP"."ANALYTICS";

-- create registry snowml
-- bring the tables of the registry to schema version #; nothing in them is dropped

-- create stage snowml_code
create stage if not exists "SHOP"."SNOWML"."SNOWML_CODE" comment = 'snowml deploy #';

-- create file snowml_#.zip
-- put snowml_#.zip (* bytes) on @"SHOP"."SNOWML"."SNOWML_CODE"

-- create file monitor_model_#.py
-- put monitor_model_#.py (* bytes) on @"SHOP"."SNOWML"."SNOWML_CODE"

-- create file predict_batch_#.py
-- put predict_batch_#.py (* bytes) on @"SHOP"."SNOWML"."SNOWML_CODE"

-- create file promote_model_#.py
-- put promote_model_#.py (* bytes) on @"SHOP"."SNOWML"."SNOWML_CODE"

-- create file retrain_model_#.py
-- put retrain_model_#.py (* bytes) on @"SHOP"."SNOWML"."SNOWML_CODE"

-- create file run_task_#.py
-- put run_task_#.py (* bytes) on @"SHOP"."SNOWML"."SNOWML_CODE"

-- create file train_model_#.py
-- put train_model_#.py (* bytes) on @"SHOP"."SNOWML"."SNOWML_CODE"

-- create specification lateness
-- insert the specification of lateness, hash #

-- create procedure monitor_model
create or replace procedure "SHOP"."ANALYTICS"."MONITOR_MODEL"("MODEL" varchar, "AS_OF" varchar default null, "WINDOW" varchar default null)
returns variant
language python runtime_version = '3.*'
artifact_repository = snowflake.snowpark.pypi_shared_repository
packages = ('cronsim==*', 'jinja2==*', 'numba==*', 'numpy==*', 'pandas==*', 'pyarrow==*', 'pydantic==*', 'pyyaml==*', 'scikit-learn==*', 'scipy==*', 'skops==*', 'snowflake-ml-python==*', 'snowflake-snowpark-python==*', 'sqlglot==*', 'threadpoolctl==*')
imports = ('@"SHOP"."SNOWML"."SNOWML_CODE"/monitor_model_#.py', '@"SHOP"."SNOWML"."SNOWML_CODE"/snowml_#.zip')
handler = 'monitor_model_#.main'
comment = 'snowml deploy #'
execute as owner;
grant usage on procedure "SHOP"."ANALYTICS"."MONITOR_MODEL"(varchar, varchar, varchar) to role "ANALYST";
grant usage on procedure "SHOP"."ANALYTICS"."MONITOR_MODEL"(varchar, varchar, varchar) to role "Data Team";

-- create procedure predict_batch
create or replace procedure "SHOP"."ANALYTICS"."PREDICT_BATCH"("MODEL" varchar, "AS_OF" varchar default null)
returns variant
language python runtime_version = '3.*'
artifact_repository = snowflake.snowpark.pypi_shared_repository
packages = ('cronsim==*', 'jinja2==*', 'numba==*', 'numpy==*', 'pandas==*', 'pyarrow==*', 'pydantic==*', 'pyyaml==*', 'scikit-learn==*', 'scipy==*', 'skops==*', 'snowflake-ml-python==*', 'snowflake-snowpark-python==*', 'sqlglot==*', 'threadpoolctl==*')
imports = ('@"SHOP"."SNOWML"."SNOWML_CODE"/predict_batch_#.py', '@"SHOP"."SNOWML"."SNOWML_CODE"/snowml_#.zip')
handler = 'predict_batch_#.main'
comment = 'snowml deploy #'
execute as owner;
grant usage on procedure "SHOP"."ANALYTICS"."PREDICT_BATCH"(varchar, varchar) to role "ANALYST";
grant usage on procedure "SHOP"."ANALYTICS"."PREDICT_BATCH"(varchar, varchar) to role "Data Team";

-- create procedure promote_model
create or replace procedure "SHOP"."ANALYTICS"."PROMOTE_MODEL"("MODEL" varchar, "VERSION" varchar default null)
returns variant
language python runtime_version = '3.*'
artifact_repository = snowflake.snowpark.pypi_shared_repository
packages = ('cronsim==*', 'jinja2==*', 'numba==*', 'numpy==*', 'pandas==*', 'pyarrow==*', 'pydantic==*', 'pyyaml==*', 'scikit-learn==*', 'scipy==*', 'skops==*', 'snowflake-ml-python==*', 'snowflake-snowpark-python==*', 'sqlglot==*', 'threadpoolctl==*')
imports = ('@"SHOP"."SNOWML"."SNOWML_CODE"/promote_model_#.py', '@"SHOP"."SNOWML"."SNOWML_CODE"/snowml_#.zip')
handler = 'promote_model_#.main'
comment = 'snowml deploy #'
execute as owner;
grant usage on procedure "SHOP"."ANALYTICS"."PROMOTE_MODEL"(varchar, varchar) to role "ANALYST";
grant usage on procedure "SHOP"."ANALYTICS"."PROMOTE_MODEL"(varchar, varchar) to role "Data Team";

-- create procedure retrain_model
create or replace procedure "SHOP"."ANALYTICS"."RETRAIN_MODEL"("MODEL" varchar, "AS_OF" varchar default null, "FORCE" boolean default false)
returns variant
language python runtime_version = '3.*'
artifact_repository = snowflake.snowpark.pypi_shared_repository
packages = ('cronsim==*', 'jinja2==*', 'numba==*', 'numpy==*', 'pandas==*', 'pyarrow==*', 'pydantic==*', 'pyyaml==*', 'scikit-learn==*', 'scipy==*', 'skops==*', 'snowflake-ml-python==*', 'snowflake-snowpark-python==*', 'sqlglot==*', 'threadpoolctl==*')
imports = ('@"SHOP"."SNOWML"."SNOWML_CODE"/retrain_model_#.py', '@"SHOP"."SNOWML"."SNOWML_CODE"/snowml_#.zip')
handler = 'retrain_model_#.main'
comment = 'snowml deploy #'
execute as owner;
grant usage on procedure "SHOP"."ANALYTICS"."RETRAIN_MODEL"(varchar, varchar, boolean) to role "ANALYST";
grant usage on procedure "SHOP"."ANALYTICS"."RETRAIN_MODEL"(varchar, varchar, boolean) to role "Data Team";

-- create procedure run_task
create or replace procedure "SHOP"."ANALYTICS"."RUN_TASK"("SCHEDULE" varchar, "TASK" varchar, "DBT_PROJECT" varchar default null, "AS_OF" varchar default null)
returns variant
language python runtime_version = '3.*'
artifact_repository = snowflake.snowpark.pypi_shared_repository
packages = ('cronsim==*', 'jinja2==*', 'numba==*', 'numpy==*', 'pandas==*', 'pyarrow==*', 'pydantic==*', 'pyyaml==*', 'scikit-learn==*', 'scipy==*', 'skops==*', 'snowflake-ml-python==*', 'snowflake-snowpark-python==*', 'sqlglot==*', 'threadpoolctl==*')
imports = ('@"SHOP"."SNOWML"."SNOWML_CODE"/run_task_#.py', '@"SHOP"."SNOWML"."SNOWML_CODE"/snowml_#.zip')
handler = 'run_task_#.main'
comment = 'snowml deploy #'
execute as caller;

-- create procedure train_model
create or replace procedure "SHOP"."ANALYTICS"."TRAIN_MODEL"("MODEL" varchar, "AS_OF" varchar default null)
returns variant
language python runtime_version = '3.*'
artifact_repository = snowflake.snowpark.pypi_shared_repository
packages = ('cronsim==*', 'jinja2==*', 'numba==*', 'numpy==*', 'pandas==*', 'pyarrow==*', 'pydantic==*', 'pyyaml==*', 'scikit-learn==*', 'scipy==*', 'skops==*', 'snowflake-ml-python==*', 'snowflake-snowpark-python==*', 'sqlglot==*', 'threadpoolctl==*')
imports = ('@"SHOP"."SNOWML"."SNOWML_CODE"/train_model_#.py', '@"SHOP"."SNOWML"."SNOWML_CODE"/snowml_#.zip')
handler = 'train_model_#.main'
comment = 'snowml deploy #'
execute as owner;
grant usage on procedure "SHOP"."ANALYTICS"."TRAIN_MODEL"(varchar, varchar) to role "ANALYST";
grant usage on procedure "SHOP"."ANALYTICS"."TRAIN_MODEL"(varchar, varchar) to role "Data Team";

-- create task snowml_0_6_x_x_x_europe_berlin_features
create or replace task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_FEATURES"
warehouse = "TRANSFORMING"
schedule = 'USING CRON 0 6 * * * Europe/Berlin'
allow_overlapping_execution = false
statement_timeout_in_seconds = 3600
user_task_timeout_ms = 3660000
suspend_task_after_num_failures = 3
comment = 'snowml deploy #'
task_auto_retry_attempts = 1
as call "SHOP"."ANALYTICS"."RUN_TASK"('0 6 * * * Europe/Berlin', 'features', 'SHOP.PUBLIC.SHOP_PROJECT');

-- create task snowml_0_6_x_x_x_europe_berlin_score_lateness
create or replace task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_SCORE_LATENESS"
warehouse = "TRANSFORMING"
statement_timeout_in_seconds = 3600
user_task_timeout_ms = 3660000
comment = 'snowml deploy #'
after "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_FEATURES"
as call "SHOP"."ANALYTICS"."RUN_TASK"('0 6 * * * Europe/Berlin', 'score_lateness');

-- create task snowml_0_6_x_x_x_europe_berlin_monitor_lateness
create or replace task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_MONITOR_LATENESS"
warehouse = "TRANSFORMING"
statement_timeout_in_seconds = 3600
user_task_timeout_ms = 3660000
comment = 'snowml deploy #'
after "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_SCORE_LATENESS"
as call "SHOP"."ANALYTICS"."RUN_TASK"('0 6 * * * Europe/Berlin', 'monitor_lateness');

-- create task snowml_0_6_x_x_x_europe_berlin_retrain_lateness
create or replace task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_RETRAIN_LATENESS"
warehouse = "TRAINING"
statement_timeout_in_seconds = 3600
user_task_timeout_ms = 3660000
comment = 'snowml deploy #'
after "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_MONITOR_LATENESS"
as call "SHOP"."ANALYTICS"."RUN_TASK"('0 6 * * * Europe/Berlin', 'retrain_lateness');

-- create task snowml_0_6_x_x_x_europe_berlin_finalize
create or replace task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_FINALIZE"
warehouse = "TRANSFORMING"
statement_timeout_in_seconds = 3600
user_task_timeout_ms = 3660000
comment = 'snowml deploy #'
finalize = "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_FEATURES"
as call "SHOP"."ANALYTICS"."RUN_TASK"('0 6 * * * Europe/Berlin', 'finalize');

-- resume task snowml_0_6_x_x_x_europe_berlin_score_lateness
alter task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_SCORE_LATENESS" resume;

-- resume task snowml_0_6_x_x_x_europe_berlin_monitor_lateness
alter task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_MONITOR_LATENESS" resume;

-- resume task snowml_0_6_x_x_x_europe_berlin_retrain_lateness
alter task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_RETRAIN_LATENESS" resume;

-- resume task snowml_0_6_x_x_x_europe_berlin_finalize
alter task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_FINALIZE" resume;

-- resume task snowml_0_6_x_x_x_europe_berlin_features
alter task "SHOP"."SNOWML"."SNOWML_0_6_X_X_X_EUROPE_BERLIN_FEATURES" resume;

-- create alert snowml_failure
create or replace alert "SHOP"."SNOWML"."SNOWML_FAILURE"
warehouse = "TRANSFORMING"
schedule = 'USING CRON 0 * * * * UTC'
comment = 'snowml deploy #'
if (exists (select 1 from "SHOP"."SNOWML"."MESSAGES" where kind = 'failure' and told_at > convert_timezone('UTC', snowflake.alert.last_successful_scheduled_time())::timestamp_ntz))
then call system$send_email('mail', 'a@example.com, o''b@example.com', 'snowml: a task failed', 'The view messages of the registry, or snowml tasks messages, says more (failure).');

-- create alert snowml_drift
create or replace alert "SHOP"."SNOWML"."SNOWML_DRIFT"
warehouse = "TRANSFORMING"
schedule = 'USING CRON 0 * * * * UTC'
comment = 'snowml deploy #'
if (exists (select 1 from "SHOP"."SNOWML"."MESSAGES" where kind = 'drift' and told_at > convert_timezone('UTC', snowflake.alert.last_successful_scheduled_time())::timestamp_ntz))
then call system$send_email('mail', 'a@example.com, o''b@example.com', 'snowml: a model drifted', 'The view messages of the registry, or snowml tasks messages, says more (drift).');

-- resume alert snowml_failure
alter alert "SHOP"."SNOWML"."SNOWML_FAILURE" resume;

-- resume alert snowml_drift
alter alert "SHOP"."SNOWML"."SNOWML_DRIFT" resume;

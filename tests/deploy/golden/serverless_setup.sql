-- Run once, as a role that may create roles and resource monitors (ACCOUNTADMIN).
-- The role that deploys and owns the tasks:
create role if not exists "SNOWML_DEPLOYER";
grant usage on database "SHOP" to role "SNOWML_DEPLOYER";
-- Its own schemas: what it makes there is its own. It needs no right elsewhere but to read.
create schema if not exists "SHOP"."SNOWML";
create schema if not exists "SHOP"."ANALYTICS";
grant usage, create table, create view, create stage, create function, create procedure, create task, create stream, create alert, create model on schema "SHOP"."SNOWML" to role "SNOWML_DEPLOYER";
grant usage, create table, create view, create stage, create function, create procedure, create task, create stream, create alert, create model on schema "SHOP"."ANALYTICS" to role "SNOWML_DEPLOYER";
-- What it reads. Build it before: a right can only be given on what is there. Where another role runs dbt, a
-- table that dbt makes anew loses its rights, unless the dbt project says copy_grants: true.
grant usage on schema "SHOP"."MAIN" to role "SNOWML_DEPLOYER";
grant select on "SHOP"."MAIN"."TRAINING_SET" to role "SNOWML_DEPLOYER";
alter table "SHOP"."RAW"."ORDERS" set change_tracking = true;
grant usage on schema "SHOP"."RAW" to role "SNOWML_DEPLOYER";
grant select on "SHOP"."RAW"."ORDERS" to role "SNOWML_DEPLOYER";
-- Running tasks and alerts are rights of the account:
grant execute task, execute alert on account to role "SNOWML_DEPLOYER";
-- Without a warehouse. No resource monitor counts what they spend: a budget does.
grant execute managed task, execute managed alert on account to role "SNOWML_DEPLOYER";
create warehouse if not exists "TRAINING" warehouse_type = 'SNOWPARK-OPTIMIZED' resource_constraint = 'MEMORY_16X' warehouse_size = MEDIUM auto_suspend = 60 initially_suspended = true statement_timeout_in_seconds = 3600;
grant usage, operate on warehouse "TRANSFORMING" to role "SNOWML_DEPLOYER";
grant usage, operate on warehouse "TRAINING" to role "SNOWML_DEPLOYER";
-- Packages from the index:
grant database role snowflake.pypi_repository_user to role "SNOWML_DEPLOYER";
-- Guards: the monitor stops the warehouse when a month's credits are spent, and statements end in time. They
-- hold for all who use it: give the tasks a warehouse of their own, or leave this out.
create resource monitor if not exists "SNOWML_MONITOR" with credit_quota = 20 frequency = monthly start_timestamp = immediately triggers on 80 percent do notify on 100 percent do suspend;
alter warehouse "TRANSFORMING" set resource_monitor = "SNOWML_MONITOR" statement_timeout_in_seconds = 3600 auto_suspend = 60;
-- What procedures and tasks log goes to the account's event table:
alter schema "SHOP"."SNOWML" set log_level = INFO;
alter schema "SHOP"."ANALYTICS" set log_level = INFO;
create notification integration if not exists "MAIL" type = email enabled = true allowed_recipients = ('a@example.com');
grant usage on integration "MAIL" to role "SNOWML_DEPLOYER";

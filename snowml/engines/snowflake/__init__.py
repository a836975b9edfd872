"""Snowflake: a Snowpark session, DDL that commits by itself, the artifacts on a stage.

Names: Snowflake folds unquoted names to upper case, and dbt-snowflake emits unquoted names. snowml quotes every name,
and by `snowml.names.quoted` a plain lower-case name means the folded one: `predict_x` is PREDICT_X, which anyone calls
as predict_x(…). Any other name is taken to the letter; in a profile write databases and schemas in one case.
"""

-- Each flight once for each version of the model that was champion when it was scored.
{{ config(materialized='incremental', incremental_strategy='append', tags=['predictions']) }}

{{ snowml.predict('arrival_delay', ref('arrival_delay_scoring_set')) }}

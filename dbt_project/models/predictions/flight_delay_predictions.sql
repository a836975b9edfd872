-- Each flight once for each version of the model that was champion when it was scored.
{{ config(materialized='incremental', incremental_strategy='append', tags=['predictions']) }}

{{ snowml.predict('flight_delay', ref('flight_delay_scoring_set')) }}

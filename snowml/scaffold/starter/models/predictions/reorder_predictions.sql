{{ config(materialized='incremental', incremental_strategy='append', tags=['predictions']) }}

{{ snowml.predict('reorder', ref('reorder_scoring_set')) }}

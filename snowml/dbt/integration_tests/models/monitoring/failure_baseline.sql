-- How the features were distributed when the model was first trained.
{{ config(materialized='incremental', full_refresh=false) }}

{{ snowml.frozen_baseline(
    ref('pump_failure_training_set'), ['vibration_7d', 'last_vibration', 'last_cause', 'last_running', 'model_code']
) }}

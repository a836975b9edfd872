-- How far what the model is asked has moved from what it was trained on.
{{ config(tags=['monitoring']) }}

{{ snowml.drift('arrival_delay') }}

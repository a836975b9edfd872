-- The readings that are impossible, each with why.
{{ snowml.quarantine(ref('stg_readings')) }}

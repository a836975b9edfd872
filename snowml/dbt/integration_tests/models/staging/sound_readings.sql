-- The readings that features may read.
{{ snowml.sound_rows(ref('stg_readings')) }}

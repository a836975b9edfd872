"""What a model is: a dbt exposure of `type: ml`, read from the manifest into a `ModelSpec`.

Import the modules by name: a procedure in the warehouse reads a stored spec with `model`, and has no YAML.
"""

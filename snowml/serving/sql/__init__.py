"""A fitted scikit-learn pipeline as one SQL expression over a function's parameters.

Columns in, columns out: `preparing` carries the parameters through the pipeline's steps, `models` turns what comes out
into the answer, and `compiled` is the door. What cannot be written so that it answers what scikit-learn answers raises
`Unsupported`, and is served through its estimator.
"""

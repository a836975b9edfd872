"""A table of predictions out of a table of inputs: every way that we know of, in one run."""

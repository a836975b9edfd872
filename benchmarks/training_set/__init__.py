"""A training set out of a spine and three histories: every way that we know of, in one run."""

"""Training: from a training set in the warehouse to a fitted, measured pipeline."""

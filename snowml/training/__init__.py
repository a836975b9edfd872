"""Training: from a training set to a fitted pipeline."""

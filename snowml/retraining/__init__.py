"""Retraining: what a policy says about a moment."""

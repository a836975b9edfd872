"""Serving: a fitted pipeline as a function of the warehouse."""

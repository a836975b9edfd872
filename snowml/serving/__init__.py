"""Serving: a version as functions in the warehouse."""

"""Machine learning that lives in the warehouse."""

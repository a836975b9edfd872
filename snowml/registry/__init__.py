"""The registry: versions, their artifacts, and what may be loaded from them."""

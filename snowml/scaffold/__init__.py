"""What `snowml demo` writes and does."""

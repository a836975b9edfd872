"""What `snowml init` and `snowml demo` write and do."""

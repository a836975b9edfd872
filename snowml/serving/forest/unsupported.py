"""What the kernel leaves to the estimator itself."""


class Unsupported(ValueError):
    """The model does something that the kernel does not do; the message says what."""

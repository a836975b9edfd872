"""How large an artifact may be, in either warehouse."""

from snowml.errors import UserError

MAXIMUM = 2**30


def check_size(data: bytes) -> None:
    """Refuse an artifact that is too large to keep.

    Raises:
        UserError: It is; the message says what makes it smaller.
    """
    if len(data) > MAXIMUM:
        raise UserError(
            f"The model takes {len(data) / 2**20:,.0f} MiB; an artifact may take {MAXIMUM / 2**20:,.0f} MiB. "
            "Limit the depth or the number of its trees (max_depth, max_leaf_nodes)."
        )

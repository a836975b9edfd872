"""The stored procedures that snowml ships: one file each, run by both warehouses."""

from pathlib import Path

from snowml.errors import UserError, did_you_mean
from snowml.shipped import shipped


def procedure_file(name: str) -> Path:
    """The file whose `main(session, …)` the procedure is.

    Raises:
        UserError: There is no such procedure.
    """
    known = {path.stem: path for path in shipped("stored_procs").glob("*.py")}
    if name not in known:
        raise UserError(f"There is no procedure '{name}'.{did_you_mean(name, known)}")
    return known[name]

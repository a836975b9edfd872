"""Artifacts on a stage: one file each, named by its key."""

import hashlib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from snowml.engines.snowflake.errors import DRIVER_ERRORS, is_missing_file
from snowml.names import Relation

if TYPE_CHECKING:
    from snowflake.snowpark import Session

# What may stand in a stage's path as it is; the keys of artifacts are hexadecimal.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def location(store: Relation, key: str = "") -> str:
    """`@"DB"."SCHEMA"."STAGE"/file`, where the artifact of a key is kept."""
    return f"@{store.sql('snowflake')}/{_file(key) if key else ''}"


def upload(session: "Session", store: Relation, key: str, data: bytes) -> None:
    """Put a file on the stage; one that is there already is left as it is, since its name tells its content."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, _file(key))
        file.write_bytes(data)
        session.file.put(
            str(file), location(store), auto_compress=False, source_compression="NONE", overwrite=False
        )


def download(session: "Session", store: Relation, key: str) -> bytes | None:
    """A file's bytes; None where it is not there."""
    # A folder of its own: Snowpark's get_stream shares one between all that run at the same moment.
    with tempfile.TemporaryDirectory() as folder:
        try:
            session.file.get(location(store, key), folder)
        except DRIVER_ERRORS as error:
            if is_missing_file(error):
                return None
            raise
        file = Path(folder, _file(key))
        return file.read_bytes() if file.is_file() else None


def _file(key: str) -> str:
    return key if _PLAIN.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()

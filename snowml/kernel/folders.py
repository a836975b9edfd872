"""Folders for what is compiled: a cache is code, and one that others may write to would be theirs to run code by."""

import os
import stat
import tempfile
from pathlib import Path


def private_folder(name: str) -> Path | None:
    """A folder of that name, and this user's number, below the temporary one, that only this user can write to.

    None where there can be none: another one's folder, a link, or a system that does not number its users.
    """
    if not hasattr(os, "getuid"):
        return None
    folder = Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if ours else None

"""snowml's own modules as a zip on a stage: what a handler or a procedure imports there.

No package index offers them under that name, so they travel with what needs them.
"""

import hashlib
import io
import zipfile
from functools import cache

from snowml.shipped import PACKAGE

# What runs in the warehouse has no command line, no dbt project and no local files.
_LEFT_OUT = {"cli", "dbt", "deploy", "scaffold", "_shipped", "__pycache__"}
# The zip is named by its content, so that content must not depend on when it was made.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@cache
def package() -> tuple[str, bytes]:
    """The zip's name, which tells its content, and its bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in sorted(PACKAGE.rglob("*.py")):
            inside = file.relative_to(PACKAGE)
            if not _LEFT_OUT.intersection(inside.parts):
                entry = zipfile.ZipInfo(f"snowml/{inside.as_posix()}", _LONG_AGO)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.read_bytes())
    data = buffer.getvalue()
    return f"snowml_{hashlib.sha256(data).hexdigest()[:16]}.zip", data

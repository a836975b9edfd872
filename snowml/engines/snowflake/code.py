"""snowml's own modules as a zip on a stage: what a handler or a procedure imports there.

No package index offers them under that name, so they travel with what needs them.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

# What runs in the warehouse has no command line, no dbt project and no local files.
_LEFT_OUT = {"cli", "dbt", "deploy", "scaffold", "_shipped", "__pycache__"}
# The zip is named by its content, so that content must not depend on when it was made.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@cache
def package() -> tuple[str, bytes]:
    """The zip's name, which tells its content, and its bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for inside, module in sorted(_modules(files("snowml"))):
            entry = zipfile.ZipInfo("/".join(("snowml", *inside)), _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, module)
    data = buffer.getvalue()
    return f"snowml_{hashlib.sha256(data).hexdigest()[:16]}.zip", data


def _modules(folder: Traversable, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """Where each module is, and its text. A procedure runs out of the zip itself, where there are no files."""
    for item in folder.iterdir():
        inside = (*above, item.name)
        if item.is_dir() and item.name not in _LEFT_OUT:
            yield from _modules(item, inside)
        elif item.name.endswith(".py"):
            yield inside, item.read_bytes()

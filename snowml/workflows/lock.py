"""One at a time: a lock that the operating system takes back when its holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def only_one(file: Path) -> Iterator[int | None]:
    """Hold the lock that is kept in `file`.

    Yields:
        None; or, where another process holds it, that one's id.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="ascii") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            yield int(held.read() or 0)
            return
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        # The file stays: one that is removed while another waits for it would be held twice.
        yield None

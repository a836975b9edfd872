"""One at a time, and whoever dies gives its turn back."""

import os
import signal
import subprocess
import sys

from snowml.workflows.lock import only_one

HOLDER = """
import sys, pathlib, time
from snowml.workflows.lock import only_one
with only_one(pathlib.Path(sys.argv[1])) as other:
    print(other, flush=True)
    time.sleep(60)
"""


def test_a_second_one_is_told_who_is_first_until_that_one_is_killed(tmp_path):
    file = tmp_path / "some" / "tasks.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "None\n"
        with only_one(file) as other:
            assert other == holder.pid
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with only_one(file) as other:
            assert other is None
    finally:
        holder.kill()
        holder.stdout.close()


def test_it_may_be_taken_again(tmp_path):
    for _ in range(2):
        with only_one(tmp_path / "tasks.lock") as other:
            assert other is None
        with only_one(tmp_path / "tasks.lock") as other, only_one(tmp_path / "tasks.lock") as same:
            assert (other, same) == (None, os.getpid())

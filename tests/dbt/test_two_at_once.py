"""DuckDB lets one process write to a file: dbt waits for another one, or says which it is."""

import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
import shop

from snowml.errors import RetryableError

pytestmark = pytest.mark.dbt

HOLD = """
import sys, time, duckdb
held = duckdb.connect(sys.argv[1], config={"storage_compatibility_version": "v1.4.0"})
print("held", flush=True)
sys.stdin.readline()
"""


def held(file: Path) -> subprocess.Popen[str]:
    """Another process that has the file open until it is sent a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("done\n")
    process.stdin.flush()


def test_a_file_in_use_is_told_with_the_process_that_has_it(built: shop.Shop) -> None:
    with held(built.folder / built.file) as other:
        try:
            with pytest.raises(
                RetryableError, match=rf"shop.duckdb: process {other.pid} is using it.*Run this again"
            ):
                built.build("customers")
        finally:
            let_go(other)


def test_dbt_waits_where_its_profile_says_so(built: shop.Shop) -> None:
    built.replace(
        "profiles.yml", "keep_open: false\n", "keep_open: false\n      retries: {connect_attempts: 6}\n"
    )
    with held(built.folder / built.file) as other:
        Timer(2, let_go, [other]).start()
        built.build("customers")

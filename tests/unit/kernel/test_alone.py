"""The kernel as a warehouse's sandbox has it: a zip of its own, no folder to write to, another processor, no numba."""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from forests import columns, edges, random_forest, random_rows

from snowml.kernel import blob, jit
from snowml.kernel.folders import private_folder
from snowml.kernel.scorer import Scorer

KERNEL = Path(blob.__file__).parent
SCRIPT = """
import sys
import numpy as np
{before}
from snowml.kernel import blob
from snowml.kernel.scorer import Scorer
import snowml.kernel
data, rows = open(sys.argv[1], "rb").read(), np.load(sys.argv[2])
scorer = Scorer(blob.loads(data))
np.save(sys.argv[3], scorer.answers(rows))
loaded = {{name.partition(".")[0] for name in sys.modules}}
assert not loaded & {{"sklearn", "pandas", "pyarrow", "duckdb"}}, loaded
print(type(scorer._engine).__name__, snowml.kernel.__file__)
"""
NO_NUMBA = "sys.modules['numba'] = None"


@pytest.fixture
def packed(tmp_path):
    """The kernel in a zip, with nothing else of snowml beside it."""
    path = tmp_path / "kernel.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("snowml/__init__.py", "")
        for source in KERNEL.glob("*.py"):
            file.write(source, f"snowml/kernel/{source.name}")
    return path


def run(folder, forest, rows, *, path=None, before="", **environment):
    """The answers of another process, and the engine that it took."""
    (folder / "forest").write_bytes(blob.dumps(forest))
    np.save(folder / "rows.npy", columns(rows))
    (folder / "script.py").write_text(SCRIPT.format(before=before))
    names = [str(folder / name) for name in ("script.py", "forest", "rows.npy", "answers.npy")]
    keep = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    given = keep | {"HOME": os.devnull, "PYTHONPATH": str(path or KERNEL.parents[1])} | environment
    done = subprocess.run([sys.executable, *names], env=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    engine, _, where = done.stdout.strip().partition(" ")
    assert str(path or KERNEL) in where
    return np.load(folder / "answers.npy"), engine


def case(leaves, link="logit"):
    forest = random_forest(7, trees=20, leaves=leaves, features=5, category_sizes=(12,))
    made = type(forest)(**{name: getattr(forest, name) for name in forest.__slots__} | {"link": link})
    return made, edges(made, random_rows(made, 500, 3))


def test_from_a_zip_where_the_home_folder_cannot_be_written_to(tmp_path, packed):
    forest, rows = case(31)
    folder = tmp_path / "tmp"
    folder.mkdir()
    found, engine = run(tmp_path, forest, rows, path=packed, TMPDIR=str(folder))
    assert engine == "Masks"
    np.testing.assert_array_equal(found, Scorer(forest).answers(columns(rows)))
    kept = list(folder.rglob("*.nbi"))
    assert kept
    assert all(file.is_relative_to(folder / f"snowml-compiled-{os.getuid()}") for file in kept)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the processors named are x86-64's")
@pytest.mark.parametrize("leaves", [31, 200])
def test_an_older_processor_gives_the_same_bits(tmp_path, leaves):
    forest, rows = case(leaves)
    found, engine = run(tmp_path, forest, rows, NUMBA_CPU_NAME="haswell")
    assert engine == ("Masks" if leaves < 64 else "Walk")
    np.testing.assert_array_equal(found, Scorer(forest).answers(columns(rows)))


@pytest.mark.parametrize("link", ["identity", "logit", "softmax_by_column", "lightgbm_softmax"])
def test_without_numba_the_answers_are_the_same(tmp_path, packed, link):
    forest, rows = case(31, link)
    found, engine = run(tmp_path, forest, rows, path=packed, before=NO_NUMBA)
    assert engine == "Plain"
    np.testing.assert_array_equal(found, Scorer(forest).answers(columns(rows)))


def in_folder(monkeypatch, folder):
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder / f"snowml-compiled-{os.getuid()}"


def test_the_cache_is_a_folder_of_this_user_alone(monkeypatch, tmp_path):
    ours = in_folder(monkeypatch, tmp_path)
    assert private_folder("snowml-compiled") == ours
    assert ours.stat().st_mode & 0o777 == 0o700
    for mode in (0o720, 0o702, 0o777):
        ours.chmod(mode)
        assert private_folder("snowml-compiled") is None


def test_another_ones_folder_a_link_or_none_is_no_cache(monkeypatch, tmp_path):
    ours = in_folder(monkeypatch, tmp_path)
    (tmp_path / "elsewhere").mkdir()
    ours.symlink_to(tmp_path / "elsewhere")
    assert private_folder("snowml-compiled") is None
    in_folder(monkeypatch, tmp_path / "missing")
    assert private_folder("snowml-compiled") is None


def test_where_users_have_no_numbers_there_is_no_such_folder(monkeypatch, tmp_path):
    in_folder(monkeypatch, tmp_path)
    monkeypatch.delattr(os, "getuid")
    assert private_folder("snowml-compiled") is None
    assert list(tmp_path.iterdir()) == []


def test_without_any_cache_it_is_compiled_in_memory(monkeypatch, tmp_path):
    def refuse(function):
        raise RuntimeError("no locator available")

    before = os.environ.get("XDG_CACHE_HOME")
    monkeypatch.setattr(jit, "_cached", refuse)
    for folder in (tmp_path, tmp_path / "missing"):
        in_folder(monkeypatch, folder)
        assert jit.compiled(lambda x: x + 1)(1) == 2
    assert os.environ.get("XDG_CACHE_HOME") == before

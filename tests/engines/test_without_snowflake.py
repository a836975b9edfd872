"""Without the extra 'snowflake' everything else works, and a Snowflake target says what is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from snowml.engines.factory import open_engine
from snowml.engines.profile import Target
from snowml.errors import ProjectError


def test_a_target_of_type_snowflake_asks_for_the_extra(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("snowml.engines.snowflake.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "snowflake.connector", None)
    target = Target("shop", "prod", "snowflake", {"account": "a", "user": "u"}, Path("profiles.yml"))
    with pytest.raises(ProjectError, match=r"'prod' is of type snowflake.*extra 'snowflake'"):
        open_engine(target)


def test_the_core_imports_no_snowflake_client():
    code = (
        "import sys, snowml.cli, snowml.notebook, snowml.workflows.train, snowml.workflows.promote; "
        "print([name for name in sys.modules if name.startswith('snowflake.') and '.' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

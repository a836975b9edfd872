"""What runs inside of Snowflake imports what it declares: all of it, and nothing else."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from snowml.engines.snowflake.code import _LEFT_OUT
from snowml.engines.snowflake.packages import PROCEDURES
from snowml.serving import estimator, kernel_function, native
from snowml.shipped import PACKAGE, shipped

# What a procedure's engine never is, and what is there for other doors.
NOT_THERE = {"snowml.engines.duckdb", "snowml.notebook", *(f"snowml.{name}" for name in _LEFT_OUT)}
# What comes with something that is declared, in the one version that it goes with.
PARTS = {
    "cryptography": "snowflake-snowpark-python",
    "llvmlite": "numba",
    "pydantic_core": "pydantic",
    "snowflake-connector-python": "snowflake-snowpark-python",
}


def file_of(module: str) -> Path | None:
    path = PACKAGE.parent.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def imported(file: Path) -> set[str]:
    """The modules that a file imports, wherever in it, but for types alone."""
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def reached(*roots: Path) -> set[str]:
    """The top-level packages that these files import, by way of any of snowml's own modules that travel with them."""
    pending, seen, found = list(roots), set(roots), set()
    while pending:
        for module in imported(pending.pop()):
            if module.split(".")[0] != "snowml":
                found.add(module)
                continue
            parents = [".".join(module.split(".")[:n]) for n in range(1, module.count(".") + 2)]
            if NOT_THERE.intersection(parents):
                continue
            files = {file for parent in parents if (file := file_of(parent))} - seen
            seen |= files
            pending += files
    return found


def distributions(modules: set[str]) -> set[str]:
    """What the package index calls what those modules belong to."""
    known = packages_distributions()
    found = set()
    for module in modules:
        top = module.split(".")[0]
        if top in sys.stdlib_module_names:
            continue
        if top == "snowflake":
            # Several distributions share the name.
            parts = {"ml": "snowflake-ml-python", "snowpark": "snowflake-snowpark-python"}
            found.add(parts.get(module.split(".")[1], "snowflake-connector-python"))
        else:
            found |= set(known[top])
    return {PARTS.get(name.lower(), name.lower()) for name in found}


@pytest.mark.parametrize("module", [kernel_function, estimator])
def test_a_functions_module_declares_what_it_imports(module):
    assert distributions(reached(Path(module.__file__))) == set(module.PACKAGES)


def test_a_native_model_declares_what_its_handler_imports():
    assert distributions(reached(Path(native.__file__))) == set(estimator.PACKAGES)


def test_the_procedures_declare_what_they_import():
    found = distributions(reached(*shipped("stored_procs").glob("*.py")))
    assert found == set(PROCEDURES)

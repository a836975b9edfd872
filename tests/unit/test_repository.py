"""What holds for the repository as a whole: whose words stand where, and what travels in the wheel."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXTS = {".py", ".sql", ".yml", ".yaml", ".md", ".toml", ".txt", ".cfg", ".example", ".html", ""}
LEFT_OUT = {"target", "dbt_packages", "logs", "__pycache__", "build", "dist", "snowml-demo", "node_modules"}
TRADE = re.compile(r"flight|airport|airline|carrier|tail_?num|nycflights", re.IGNORECASE)
# A distribution of that name on the package index belongs to someone else.
INSTALL = re.compile(
    r"(pip3?|uv|pipx|poetry|conda|mamba)[^\n]{0,40}?(install|add)\s+[^\n`|;&#]*?['\"]?snowml(?![\w.-])"
)
PROCEDURES = ("train_model", "promote_model", "predict_batch", "monitor_model", "retrain_model", "run_task")


def texts(*folders: str) -> Iterator[tuple[Path, str]]:
    """The text files below the folders, without what is generated."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*")):
            inside = file.relative_to(ROOT).parts
            generated = any(part in LEFT_OUT or (part.startswith(".") and part != ".ci") for part in inside)
            if file.is_file() and not generated and file.suffix in TEXTS:
                yield file, file.read_text("utf-8")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_framework_has_no_word_of_the_reference_projects_trade() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file, text in texts("snowml", "stored_procs")
        for number, line in enumerate([file.name, *text.splitlines()])
        if TRADE.search(line)
    ]
    assert found == []


def test_nobody_is_told_to_install_another_ones_distribution() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file, text in texts(".")
        if file != Path(__file__)
        for match in INSTALL.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["pip install snowml", "pip install 'snowml'", "uv pip install -U snowml", "uv add snowml"]
)
def test_such_a_line_would_be_found(line: str) -> None:
    assert INSTALL.search(line)


@pytest.mark.parametrize(
    "line", ["pip install '.[demo]' && snowml demo", "pip install snowml-warehouse", "pip install . # snowml"]
)
def test_other_lines_are_left_alone(line: str) -> None:
    assert not INSTALL.search(line)


def test_the_distribution_has_a_name_of_its_own(project: dict[str, Any]) -> None:
    assert project["project"]["name"] == "snowml-warehouse"


def test_every_model_of_the_reference_project_is_described() -> None:
    models = ROOT / "dbt_project" / "models"
    described = {
        model["name"]
        for file in models.rglob("*.yml")
        for model in yaml.safe_load(file.read_text("utf-8")).get("models", [])
        if model.get("description")
    }
    assert {file.stem for file in models.rglob("*.sql")} == described


def test_every_column_that_is_described_says_something() -> None:
    silent = [
        f"{model['name']}.{column['name']}"
        for file in (ROOT / "dbt_project" / "models").rglob("*.yml")
        for model in yaml.safe_load(file.read_text("utf-8")).get("models", [])
        for column in model.get("columns", [])
        if not column.get("description")
    ]
    assert silent == []


def test_every_public_macro_is_described() -> None:
    package = ROOT / "snowml" / "dbt" / "macros"
    described = {
        name
        for file in package.rglob("*.yml")
        for kind in ("macros",)
        for name in (item["name"] for item in yaml.safe_load(file.read_text("utf-8")).get(kind, []))
    }
    defined = {
        ("test_" if kind == "test" else "") + name
        for file in package.rglob("*.sql")
        for kind, name in re.findall(r"{%-? (macro|test) ([a-z]\w*)\(", file.read_text("utf-8"))
        if "__" not in name
    }
    assert defined - described == set()


def test_every_procedure_has_a_main_that_takes_the_session_first() -> None:
    files = {file.stem: file for file in (ROOT / "stored_procs").glob("*.py")}
    assert set(files) >= set(PROCEDURES)
    for file in files.values():
        tree = ast.parse(file.read_text("utf-8"))
        (main,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
        assert main.args.args[0].arg == "session"
        assert ast.get_docstring(tree)


def test_a_procedure_imports_neither_dbt_nor_a_driver() -> None:
    for file in (ROOT / "stored_procs").glob("*.py"):
        modules = {
            name
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            for name in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
        }
        assert all(name.startswith("snowml.") for name in modules), file.name
        assert "snowml.workflows.dbt" not in modules


def test_the_wheel_carries_what_a_demonstration_needs_once(project: dict[str, Any]) -> None:
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    shipped = {**wheel["sources"], **wheel.get("force-include", {})}
    assert shipped == {
        name: f"snowml/_shipped/{name}" for name in ("dbt_project", "stored_procs", "profiles.yml.example")
    }
    assert set(wheel["only-include"]) == {"snowml", "dbt_project", "stored_procs"}
    # The dbt package lies inside of the Python package, and nowhere else.
    assert (ROOT / "snowml" / "dbt" / "dbt_project.yml").is_file()
    named = [file for file, _ in texts(".") if file.name == "dbt_project.yml" and "name: snowml\n" in _]
    assert [str(file.relative_to(ROOT)) for file in named] == ["snowml/dbt/dbt_project.yml"]


def test_nothing_generated_travels_in_the_wheel(project: dict[str, Any]) -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    left_out = {*ignored, *project["tool"]["hatch"]["build"]["targets"]["wheel"]["exclude"]}
    for name in ("target", "dbt_packages", "logs"):
        assert f"{name}/" in left_out
        assert f"dbt_project/{name}" in left_out
    assert "*.duckdb" in left_out

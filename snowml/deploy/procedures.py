"""The procedures of stored_procs/ as DDL: their arguments are those of `main`, and their rights are stated here."""

import ast
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from platform import python_version_tuple
from typing import Final

from snowml.deploy.things import MARK, File, Key, Thing
from snowml.engines.snowflake.code import package
from snowml.engines.snowflake.packages import PROCEDURES, REPOSITORY, pinned
from snowml.names import Relation, literal, quoted
from snowml.shipped import shipped

# The names of files that deployments put on the stage.
VERSIONED: Final = re.compile(r"[a-z_]+_[0-9a-f]{16}\.(zip|py)")

# Owner's rights: whoever may call it may train or score, and needs no right to the tables or the registry.
# Caller's rights: it builds, and is called by tasks alone, with what the tasks' owner may and nothing more.
_CALLERS: Final = {"run_task"}
_TYPES: Final = {"str": "varchar", "str | None": "varchar", "int | str | None": "varchar", "bool": "boolean"}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a procedure, with its default as SQL; None: it must be given."""

    name: str
    type: str
    default: str | None


def procedure_files() -> list[Path]:
    """The files, by name."""
    return sorted(shipped("stored_procs").glob("*.py"))


def arguments_of(file: Path) -> tuple[Argument, ...]:
    """The arguments that CALL takes: those of `main` after the session."""
    (main,) = [
        node
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "main"
    ]
    given = main.args.args[1:]
    defaults = [None] * (len(given) - len(main.args.defaults)) + [
        {None: "null", False: "false", True: "true"}[ast.literal_eval(default)]
        for default in main.args.defaults
    ]
    return tuple(
        Argument(argument.arg, _TYPES[ast.unparse(argument.annotation)], default)  # type: ignore[arg-type]
        for argument, default in zip(given, defaults, strict=True)
    )


def rights_of(file: Path) -> str:
    """Whose rights it runs with."""
    return "caller" if file.stem in _CALLERS else "owner"


def files() -> list[File]:
    """What goes to the stage: snowml's own modules, and each procedure under a name that tells its content.

    A procedure that is running keeps what it has loaded, and those of an earlier deployment find their files.
    """
    return [File(*package()), *(_versioned(file) for file in procedure_files())]


def procedures(schema: str, database: str, stage: Relation, roles: tuple[str, ...]) -> list[Thing]:
    """The procedures in `schema`, with USAGE for the roles."""
    return [_procedure(file, schema, database, stage, roles) for file in procedure_files()]


def _versioned(file: Path) -> File:
    data = file.read_bytes()
    return File(f"{file.stem}_{hashlib.sha256(data).hexdigest()[:16]}.py", data)


def _procedure(file: Path, schema: str, database: str, stage: Relation, roles: tuple[str, ...]) -> Thing:
    arguments = arguments_of(file)
    key = Key(
        "procedure", Relation(schema, file.stem, database), tuple(argument.type for argument in arguments)
    )
    code = _versioned(file).name
    imports = ", ".join(
        literal(f"@{stage.sql('snowflake')}/{name}", "snowflake") for name in (code, package()[0])
    )
    packages = ", ".join(literal(item, "snowflake") for item in pinned(PROCEDURES))
    listed = ", ".join(
        f"{quoted(argument.name, 'snowflake')} {argument.type}"
        + (f" default {argument.default}" if argument.default else "")
        for argument in arguments
    )
    major, minor, _ = python_version_tuple()
    statement = (
        f"create or replace procedure {key.name.sql('snowflake')}({listed})\n"
        "returns variant\n"
        f"language python runtime_version = '{major}.{minor}'\n"
        f"artifact_repository = {REPOSITORY}\n"
        f"packages = ({packages})\n"
        f"imports = ({imports})\n"
        f"handler = '{code.removesuffix('.py')}.main'\n"
        f"comment = '{MARK}'\n"
        f"execute as {rights_of(file)}"
    )
    # Tasks call it with their owner's role: nobody else needs to.
    users = () if file.stem in _CALLERS else roles
    grants = tuple(f"grant usage on {key.sql} to role {quoted(role, 'snowflake')}" for role in users)
    return Thing(key, statement, grants)

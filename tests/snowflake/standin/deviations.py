"""What the stand-in is known to do otherwise than Snowflake.

Each has a test that fails when it stops being so (test_standin_deviations.py): a deviation that is gone is to be
taken off this list. What Snowflake does is from its documentation: none of it was seen on an account.

Beyond single statements:

- Nobody has rights. GRANT, ROLE and EXECUTE AS are taken note of; a procedure with owner's rights sees all that its
  caller sees, and shares the caller's session in both cases.
- TASK and ALERT are checked, kept and listed, and never run, whatever their state.
- A STREAM is on a table, of rows that are added, and stale once the table was made anew; it does not age, and no
  table need keep track of changes. A task's WHEN is checked, and asked by nobody.
- PACKAGES and ARTIFACT_REPOSITORY are not resolved: a handler sees what the interpreter of the nursery has installed.
  A new process is forked for each function, and for each CALL.
- Writers do not wait for each other: DuckDB refuses the second of two transactions that change the same rows.
- The session's time zone is UTC, whatever TIMEZONE is set to; an account's is America/Los_Angeles unless set.
- Moments have microseconds, Snowflake's nanoseconds.
- Tags are kept for what is tagged by CREATE VIEW and ALTER TABLE, and inherited by nothing; ENTITY_DETAIL tells no more
  of an object than its tags.
- MODEL MONITORs are checked, kept and listed, and never refreshed.
- Stage files are neither encrypted nor versioned; CREATE STAGE's options have no effect.
- A temporary table appears in INFORMATION_SCHEMA under a schema of its own; temporary functions, procedures and
  stages are there for other sessions too until their session ends.
- INFORMATION_SCHEMA.PACKAGES lists what is installed on this machine.
- Costs, speed, sizes of results, retention, time travel, clustering and concurrency are not there.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Deviation:
    """`sql` answers `here`: rows, or what stands in the error's text. `snowflake` says what an account does."""

    name: str
    sql: str
    here: Any
    snowflake: str
    before: tuple[str, ...] = ()


DEVIATIONS = (
    Deviation(
        "division by zero", "select 1 / 0::float", [(float("inf"),)], "Error 100051: Division by zero."
    ),
    Deviation(
        "logarithm of zero",
        "select ln(0::float)",
        [(float("-inf"),)],
        "Invalid floating point operation: ln(0).",
    ),
    Deviation(
        "exact division",
        "select 1 / 3",
        [(1 / 3,)],
        "A NUMBER with six digits after the point: 0.333333. Write 1::float / 3 for a double.",
    ),
    Deviation(
        "sums of exact numbers",
        "select sum(column1) = 0.3 from values (0.1::number(3, 2)), (0.2::number(3, 2))",
        [(False,)],
        "True: NUMBER is added up exactly. Here its sums and means are those of doubles.",
    ),
    Deviation(
        "a double as text",
        "select to_varchar(1e20::float)",
        [("1e+20",)],
        "'100000000000000000000', or 1e+20 in other words: do not make text of doubles.",
    ),
    Deviation(
        "booleans as doubles",
        "select cast(true as float)",
        [(1.0,)],
        "BOOLEAN is not cast to FLOAT: invalid type. Cast to NUMBER first.",
    ),
    Deviation(
        "length of text",
        "insert into t values ('abcdef')",
        [(1,)],
        "Error 100078: the string is too long for VARCHAR(3) and would be truncated.",
        ("create table t (a varchar(3))",),
    ),
    Deviation(
        "primary keys",
        "insert into t values (1), (1)",
        "duplicate key",
        "Both rows are kept: primary and unique keys are not enforced.",
        ("create table t (a int primary key)",),
    ),
    Deviation(
        "a failed statement inside a transaction",
        "insert into t values (2)",
        "transaction is aborted",
        "The transaction stays open, with what was done in it before the failure.",
        ("create table t (a int)", "begin", "insert into t values (1)", "fails: select cast('x' as int)"),
    ),
    Deviation(
        "whole numbers beyond 64 bits",
        "select 9223372036854775807 + 1",
        "Overflow",
        "NUMBER has 38 digits: 9223372036854775808.",
    ),
    Deviation(
        "text for a double argument",
        "select f('1.5')",
        "does not support the supplied arguments",
        "VARCHAR is cast to FLOAT when no other overload takes it.",
        ("create function f(a float) returns float as 'a'",),
    ),
    Deviation(
        "procedures of one name and as many arguments",
        "call p(1)",
        "which of the procedures",
        "The types of the arguments decide.",
        tuple(
            f"create procedure p(a {kind}) returns varchar language python runtime_version = '3.11' "
            "packages = ('snowflake-snowpark-python') handler = 'run' as 'def run(session, a): return 1'"
            for kind in ("float", "varchar")
        ),
    ),
    Deviation("BEGIN inside a transaction", "begin", "does not know BEGIN inside", "No error.", ("begin",)),
    Deviation(
        "a handler that is not there",
        "create function f(a float) returns float language python runtime_version = '3.11' "
        "handler = 'nothing' as 'x = 1'",
        [("Function F successfully created.",)],
        "The handler is looked for when the function is created.",
    ),
)

"""The parity certificate: what serves a version answers what scikit-learn answers, on held-out and hostile rows.

The ways are the version's functions in the warehouse at hand, and, on DuckDB, the handler that Snowflake would run, as
it is packaged for it. What cannot be run without an account is the SQL around that handler, and a model that is SQL
altogether: there the deployed functions are asked themselves, before they are promoted.
"""

from contextlib import ExitStack
from datetime import datetime
from typing import Final

import pyarrow as pa

from snowml.engines.base import Engine
from snowml.engines.snowflake.rehearsal import Answers, prepare, rehearsal
from snowml.errors import NotPromoted
from snowml.progress import Progress, Silent
from snowml.records import Parity, ParityCheck, Signature, Version, VersionEvent
from snowml.registry.store import Registry
from snowml.registry.trusted import Artifact
from snowml.serving.functions import Functions
from snowml.workflows.certificate import served
from snowml.workflows.certificate.adversarial import adversarial
from snowml.workflows.certificate.asking import HELD_OUT, Asking, Block, Way
from snowml.workflows.certificate.comparing import (
    EXPLAINED,
    TOLERANCE,
    by_explanation,
    by_function,
    by_handler,
    by_label,
    checks,
)
from snowml.workflows.certificate.reference import reference, require_answers
from snowml.workflows.champion import load_artifact
from snowml.workflows.repair import functions_for

# Where the label changes, what lies beside it, and what is no probability.
_PROBABILITIES: Final = (
    0.0,
    0.25,
    0.49999999999999994,
    0.5,
    0.5000000000000001,
    0.75,
    1.0,
    None,
    float("nan"),
)
# Of many classes, how many that follow one are tried beside it.
_BESIDE: Final = 8
_WAYS: Final = {
    "function": "its function",
    "champion": "the function of the champion",
    f"function{EXPLAINED}": "what its explanations add up to",
    f"champion{EXPLAINED}": "what the champion's explanations add up to",
    "handler": "the handler packaged for Snowflake",
}


def certified(
    registry: Registry,
    version: Version,
    artifact: Artifact,
    functions: Functions,
    now: datetime,
    progress: Progress | None = None,
) -> Parity:
    """`compare`, and keep the outcome with the version: its certificate, or that it was refused one."""
    parity = _compared(registry, version, artifact, functions, now, progress)
    with registry.transaction():
        registry.record_parity(parity)
        if parity.certified:
            registry.record_event(
                VersionEvent(version.model, version.version, "certified", now, f"{parity.rows} rows")
            )
    return parity


def audit_parity(
    registry: Registry, model: str, number: int | None, now: datetime, progress: Progress | None = None
) -> Parity:
    """Compare the champion, or a version, as it is in the warehouse now, and keep the outcome with it.

    Nothing is made or repaired first: what is asked is what serves.

    Raises:
        NotPromoted: The version has no functions in the warehouse.
    """
    registry.engine.tag("audit", model)
    registry.create()
    version = registry.champion(model) if number is None else registry.version(model, number)
    artifact = load_artifact(registry, version)
    functions = functions_for(registry, version, artifact)
    if not all(registry.engine.comments(function.name) for function in functions.versioned):
        raise NotPromoted(
            f"{model} version {version.version} has no functions in the warehouse, so there is nothing to compare. "
            "A version that its gates reject gets none; another gets them with snowml promote "
            f"{model} --version {version.version}"
        )
    is_champion = registry.champions(model)[-1:] == [version.version]
    parity = _compared(registry, version, artifact, functions, now, progress, champion=is_champion)
    registry.record_parity(parity)
    return parity


def compare(
    registry: Registry,
    version: Version,
    artifact: Artifact,
    functions: Functions,
    now: datetime,
    *,
    champion: bool = False,
) -> Parity:
    """Score the test window of the version's run, and hostile rows, in each way and with scikit-learn, and compare.

    What each feature contributes is added up, and compared with the raw score behind the prediction.

    Equal means: both without an answer, or `|a - b| <= 1e-9 * max(1, |a|, |b|)`; labels must be the same.

    Args:
        registry: Where the version is; its functions are in the same warehouse.
        version: The version.
        artifact: Its pipeline, as it was trained or as it was registered.
        functions: Its functions.
        now: The moment of the comparison.
        champion: Whether the model's own functions, those without a number, are asked too.

    Raises:
        DataError: The test window has no rows any more, or lacks a column that the version reads.
    """
    engine = registry.engine
    if _is_rehearsed(engine, functions):
        prepare()
    ways = _ways(functions, champion=champion)
    asking = Asking(engine, version.signature, tuple(ways), functions.arguments)
    held = asking.held_out(registry, version)
    truths = [reference(artifact, held.frame)]
    require_answers(truths[0], "the test window")
    base = held.frame[~truths[0].refused].reset_index(drop=True)
    hostile = adversarial(artifact, base, lambda frame: reference(artifact, frame).scores)
    blocks = [held, *(asking.sent(rows.table, rows.kinds) for rows in hostile)]
    with ExitStack() as stack:
        # scikit-learn answers while the handler is at work.
        wait = _rehearsed(stack, engine, functions, blocks)
        truths += [reference(artifact, block.frame) for block in blocks[1:]]
        handled = None if wait is None else wait()
    found: list[ParityCheck] = []
    start = 0
    for block, truth in zip(blocks, truths, strict=True):
        for way in ways:
            found += checks(block, truth, by_function(block, truth, way))
            if way.explains is not None:
                found += checks(block, truth, by_explanation(block, truth, way, functions.explaining))
        if handled is not None:
            answers = handled.slice(start, len(block.kinds))
            found += checks(block, truth, by_handler(answers, truth))
        start += len(block.kinds)
    if version.signature.task == "classification":
        found += [
            by_label(version.signature, way, *asking.labels(way, _probabilities(version.signature)))
            for way in ways
        ]
    told = [check.max_abs_diff for check in found if check.way.endswith(EXPLAINED)]
    worst = max(check.max_abs_diff for check in found if not check.way.endswith(EXPLAINED))
    return Parity(
        model=version.model,
        version=version.version,
        rows=start,
        max_abs_diff=worst,
        tolerance=TOLERANCE,
        certified=max([worst, *told]) <= TOLERANCE,
        checked_at=now,
        engine=engine.name,
        functions=served.fingerprint(functions),
        code=served.code(),
        snowml=served.snowml_version(),
        checks=tuple(sorted(found, key=lambda check: (check.way, check.kind))),
    )


def covers(parity: Parity | None, engine: Engine, functions: Functions) -> bool:
    """Whether it is a certificate of these functions, in this warehouse, run by the code that is installed."""
    return parity is not None and (
        (parity.certified, parity.engine, parity.functions, parity.code)
        == (True, engine.name, served.fingerprint(functions), served.code())
    )


def words(parity: Parity) -> str:
    """What was compared, and how it went."""
    rows = f"{parity.held_out:,} held-out and {parity.rows - parity.held_out:,} adversarial rows"
    return f"{rows}, largest difference {parity.max_abs_diff:.1e}"


def refusal(parity: Parity) -> str:
    """What differs, in which way and on which row, and what to do about it."""
    failed = [check for check in parity.checks if not check.max_abs_diff <= parity.tolerance]
    worst = max(failed, key=lambda check: (check.max_abs_diff, check.kind == HELD_OUT, check.differing_count))
    others: dict[str, list[str]] = {}
    for check in failed:
        if check is not worst:
            others.setdefault(_WAYS[check.way], []).append(_kind(check))
    also = "; ".join(f"{way} on {', '.join(kinds)} rows" for way, kinds in others.items())
    lines = [
        f"{parity.model} version {parity.version} gets no parity certificate: {_WAYS[worst.way]} differs from "
        f"scikit-learn on {worst.differing_count:,} of {worst.row_count:,} {_kind(worst)} rows, by up to "
        f"{worst.max_abs_diff:.3g} (allowed: {parity.tolerance:g}).",
        f"Such as {worst.example}.",
        *([f"Also {also}."] if also else []),
        "It cannot be promoted, and nothing that serves has changed. This is a defect of snowml: report the row. "
        f"Another {_another(worst, parity.model)}",
    ]
    return "\n".join(lines)


def _another(check: ParityCheck, model: str) -> str:
    """What may help: paths and terms are told alike, however a version is served."""
    if check.way.endswith(EXPLAINED):
        return f"estimator's explanations may be right: snowml train {model} --set estimator=…"
    return f"way of serving may be right: snowml train {model} --set serving=estimator"


def _compared(
    registry: Registry,
    version: Version,
    artifact: Artifact,
    functions: Functions,
    now: datetime,
    progress: Progress | None,
    *,
    champion: bool = False,
) -> Parity:
    title = f"compare {version.model} version {version.version} with scikit-learn"
    with (progress or Silent()).step(title) as step:
        parity = compare(registry, version, artifact, functions, now, champion=champion)
        step.outcome(words(parity))
    return parity


def _ways(functions: Functions, *, champion: bool) -> list[Way]:
    """The version's own functions, and the champion's where they are asked too."""
    told = functions.explaining
    own, current = (one if told.reason is None else None for one in (told.versioned, told.current))
    ways = [Way("function", functions.versioned, own)]
    return [*ways, Way("champion", functions.current, current)] if champion else ways


def _probabilities(signature: Signature) -> list[tuple[float | None, ...]]:
    """What the rule that makes labels is asked about; of more than two classes, a row in which each two are largest."""
    if not signature.is_multiclass:
        return [(probability,) for probability in _PROBABILITIES]
    classes = len(signature.classes)
    pairs = [(i, j) for i in range(classes) for j in range(i, min(i + _BESIDE, classes))]
    largest = [tuple(0.4 if i in pair else 0.2 / classes for i in range(classes)) for pair in pairs]
    return [(None,) * classes, (1.0 / classes,) * classes, *largest]


def _kind(check: ParityCheck) -> str:
    return check.kind.replace("_", "-")


def _is_rehearsed(engine: Engine, functions: Functions) -> bool:
    """Whether there is a handler, and the warehouse does not run it itself."""
    return functions.kernel is not None and engine.name != "snowflake"


def _rehearsed(stack: ExitStack, engine: Engine, functions: Functions, blocks: list[Block]) -> Answers | None:
    """The packaged handler at work on all rows; None where there is none, or it is what the warehouse runs."""
    if functions.kernel is None or not _is_rehearsed(engine, functions):
        return None
    artifact = functions.forest or engine.get(functions.kernel.store, functions.kernel.artifact)
    rows = pa.concat_tables([block.inputs for block in blocks])
    return stack.enter_context(rehearsal(functions.kernel, artifact, rows))

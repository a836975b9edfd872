"""Leaks of other kinds in the dbt package's second project, at the same parameters: each is named, no honest one is."""

import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import planted
import pytest
import shop
from planted import Leak

from snowml.shipped import dbt_package

pytestmark = pytest.mark.dbt

FEATURES = "models/features/pump_features.sql"
TRAINING_SET = "models/training_sets/pump_failure_training_set.sql"
LEFT_OUT = shutil.ignore_patterns("target", "logs", "dbt_packages", "package-lock.yml", "*.duckdb*")

INVARIANCE = frozenset({"future_invariance"})
_PUMP = "{0}.site = honest.site and {0}.pump_number = honest.pump_number"

IN_FEATURES = [
    # An amount and a text of what comes next.
    Leak(
        "next_repair_cost",
        "next_repair.cost",
        INVARIANCE,
        "asof left join {{ ref('stg_repairs') }} as next_repair on "
        + _PUMP.format("next_repair")
        + " and honest.as_of <= next_repair.paid_at",
    ),
    Leak(
        "next_cause",
        "upper(next_cause.cause)",
        INVARIANCE,
        "asof left join {{ ref('stg_repairs') }} as next_cause on "
        + _PUMP.format("next_cause")
        + " and honest.as_of <= next_cause.paid_at",
    ),
    # The breakdown is known once it is paid for, and is joined by when it happened.
    Leak(
        "broke_lately",
        "broken.site is not null and broken.broke_at > honest.as_of - interval '3 days'",
        INVARIANCE,
        "asof left join {{ ref('stg_repairs') }} as broken on "
        + _PUMP.format("broken")
        + " and honest.as_of >= broken.broke_at",
    ),
    # A reading that was not there yet.
    Leak(
        "quality_when_read",
        "reading.quality",
        INVARIANCE,
        "asof left join {{ ref('stg_readings') }} as reading on "
        + _PUMP.format("reading")
        + " and honest.as_of >= reading.read_at",
    ),
    Leak(
        "tomorrows_vibration",
        "lead(honest.vibration_24h) over (partition by honest.site, honest.pump_number order by honest.as_of)",
        INVARIANCE,
    ),
    Leak(
        "normalised",
        "(honest.vibration_24h - avg(honest.vibration_24h) over (partition by honest.model_code)) "
        "/ stddev_pop(honest.vibration_24h) over (partition by honest.model_code)",
        INVARIANCE,
    ),
    Leak(
        "site_rank", "percent_rank() over (partition by honest.site order by honest.vibration_7d)", INVARIANCE
    ),
    Leak(
        "hours_left",
        "date_diff('hour', honest.as_of, breakdown.broke_at)",
        frozenset({"dated_paths"}),
        "asof left join {{ ref('raw_breakdowns') }} as breakdown on "
        + _PUMP.format("breakdown")
        + " and honest.as_of <= breakdown.broke_at",
    ),
]

IN_TRAINING_SET = [
    Leak(
        "target_encoding",
        "avg(case when honest.outcome = 'fails' then 1 else 0 end) over (partition by honest.site, honest.pump_number)",
        INVARIANCE,
    ),
    Leak(
        "label_in_other_words",
        "case honest.outcome when 'fails' then 'urgent' else 'later' end",
        frozenset({"label_proxy"}),
    ),
]


def pumps(folder: Path) -> shop.Shop:
    shutil.copytree(dbt_package() / "integration_tests", folder, ignore=LEFT_OUT)
    (folder / "packages.yml").write_text(f"packages:\n  - local: {dbt_package().as_posix()}\n", "utf-8")
    return shop.Shop(folder, target="duckdb", file="pumps.duckdb")


def audit(project: shop.Shop) -> dict[str, Any]:
    """Check → what it says; only failed ones."""
    from snowml.workflows.audit import audit as run

    done = run(project.dbt(), "pump_failure", as_of=datetime(2024, 7, 1), now=datetime(2024, 7, 2))
    return {check.name: check.detail for check in done.checks if not check.passed}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    project = pumps(tmp_path_factory.mktemp("pumps") / "pumps")
    planted.plant(project, FEATURES, *IN_FEATURES)
    planted.plant(project, TRAINING_SET, *IN_TRAINING_SET)
    return audit(project)


@pytest.mark.parametrize("leak", [*IN_FEATURES, *IN_TRAINING_SET], ids=lambda leak: leak.column)
def test_a_leak_is_named_by_the_check_that_should_catch_it(found: dict[str, Any], leak: Leak) -> None:
    if leak.checks == {"dated_paths"}:
        assert (
            "pump_failure_training_set ← pump_features ← raw_breakdowns ← raw_pumps: " in found["dated_paths"]
        )
    else:
        assert planted.named(found, leak.column) >= leak.checks


def test_no_honest_feature_is_named(found: dict[str, Any]) -> None:
    leaks = {leak.column for leak in (*IN_FEATURES, *IN_TRAINING_SET)}
    named = {match for detail in found.values() for match in re.findall(r"^(\w+): ", detail, re.MULTILINE)}
    assert named - {"Remedy"} <= leaks


def test_the_honest_project_passes(tmp_path: Path) -> None:
    assert audit(pumps(tmp_path / "pumps")) == {}

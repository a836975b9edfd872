"""Where time enters a training set, read from manifests written by hand."""

from typing import Any

import pytest

from snowml.auditing.lineage import History, Lineage, dataset
from snowml.errors import ProjectError


def manifest(**nodes: dict[str, Any]) -> dict[str, Any]:
    """Models by name: `reads` (names; `raw.x` is a source), and what its config says."""
    made: dict[str, Any] = {"nodes": {}, "sources": {}, "exposures": {}}
    for name, given in nodes.items():
        reads = given.pop("reads", [])
        parents = [uid(one) for one in reads]
        made["nodes"][uid(name)] = {"name": name, "config": given, "depends_on": {"nodes": parents}}
        for one in reads:
            if one.startswith("raw."):
                made["sources"].setdefault(uid(one), {"name": one[4:], "source_name": "raw", "config": {}})
    return made


def uid(name: str) -> str:
    return f"source.p.{name}" if name.startswith("raw.") else f"model.p.{name}"


def lineage(**nodes: dict[str, Any]) -> Lineage:
    return Lineage(manifest(**nodes), uid("sets"), "as_of")


def snowml(**settings: Any) -> dict[str, Any]:
    return {"snowml": settings}


def test_facts_are_cut_off_at_the_first_dated_node_and_what_is_below_is_rebuilt() -> None:
    found = lineage(
        base={"reads": ["raw.orders"]},
        orders={"reads": ["base"], "event_time": "paid_at"},
        recent={"reads": ["orders"], "event_time": "paid_at"},
        shops={"reads": ["raw.shops"], "meta": snowml(static=True)},
        features={"reads": ["recent", "shops"], "event_time": "as_of"},
        sets={"reads": ["features", "orders"], "event_time": "as_of"},
    )
    assert found.roots == (uid("orders"),)
    assert found.derived == (uid("recent"), uid("features"), uid("sets"))
    assert found.undated == ()


def test_the_column_of_the_question_dates_no_fact_unless_it_is_said_to() -> None:
    asked = lineage(spine={"reads": ["raw.visits"], "event_time": "as_of"}, sets={"reads": ["spine"]})
    assert asked.undated == (("sets", "spine", "raw.visits"),)
    said = lineage(
        spine={"reads": ["raw.visits"], "event_time": "as_of", "meta": snowml(known_at="as_of")},
        sets={"reads": ["spine"]},
    )
    assert said.undated == ()
    assert said.history(uid("spine")) == History("as_of")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"event_time": "read_at"}, History("read_at")),
        ({"event_time": "Read_At", "meta": snowml(arrived_at="Loaded")}, History("read_at", "loaded")),
        (
            {"event_time": "loaded", "meta": snowml(known_at="read_at", arrived_at="loaded")},
            History("read_at", "loaded"),
        ),
        ({"meta": snowml(known_at="read_at")}, History("read_at")),
        ({"event_time": "as_of"}, None),
        ({}, None),
    ],
)
def test_a_node_is_dated_by_its_event_time_or_what_its_meta_says(
    config: dict[str, Any], expected: History | None
) -> None:
    assert lineage(facts=dict(config), sets={"reads": ["facts"]}).history(uid("facts")) == expected


def test_a_feature_table_may_say_when_its_newest_fact_was_known() -> None:
    found = lineage(
        features={"event_time": "as_of", "meta": snowml(known_at="newest_at")}, sets={"reads": ["features"]}
    )
    assert found.newest_fact(uid("features")) == "newest_at"
    assert found.history(uid("features")) is None


def test_a_static_node_below_facts_is_not_believed() -> None:
    found = lineage(
        facts={"event_time": "at"},
        liar={"reads": ["facts"], "meta": snowml(static=True)},
        sets={"reads": ["liar"]},
    )
    assert not found.is_static(uid("liar"))
    assert uid("liar") in found.derived


def test_each_undated_end_is_named_with_its_path() -> None:
    found = lineage(
        facts={"reads": ["raw.a"], "event_time": "at"},
        plain={"reads": ["raw.b"]},
        generated={},
        features={"reads": ["facts", "plain", "generated"]},
        sets={"reads": ["features", "raw.c"]},
    )
    assert set(found.undated) == {
        ("sets", "features", "plain", "raw.b"),
        ("sets", "features", "generated"),
        ("sets", "raw.c"),
    }


def test_what_only_training_reads_is_what_scoring_does_not() -> None:
    made = manifest(
        facts={"event_time": "at"},
        labels={"reads": ["facts"]},
        features={"reads": ["facts"]},
        scores={"reads": ["features"]},
        sets={"reads": ["features", "labels"]},
    )
    assert Lineage(made, uid("sets"), "as_of").only_for_training(uid("scores")) == (
        uid("labels"),
        uid("sets"),
    )


def test_a_training_set_that_dbt_does_not_make_cannot_be_audited() -> None:
    made = manifest(sets={"reads": ["raw.bought"]})
    made["exposures"]["e"] = {"name": "m", "depends_on": {"nodes": [uid("raw.bought"), uid("sets")]}}
    assert dataset(made, "m", "sets") == uid("sets")
    with pytest.raises(ProjectError, match="bought is a source, not a dbt model"):
        dataset(made, "m", "bought")
    with pytest.raises(ProjectError, match="does not depend on 'other'"):
        dataset(made, "m", "other")

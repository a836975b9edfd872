import pytest

from snowml.names import Relation
from snowml.spec.graph import cadence, graphs_of, stream_of

SIX = "0 6 * * * Europe/Berlin"


@pytest.fixture
def model(spec_with):
    """A specification of a name, with some settings."""
    return lambda name, **settings: spec_with(**settings).model_copy(update={"name": name})


def test_models_of_one_schedule_share_their_features_and_one_record(model):
    retrained = model("churn", monitor={"schedule": SIX}, retrain={"on_drift": True})
    watched = model("basket", monitor={"schedule": SIX})
    (graph,) = graphs_of([retrained, watched])
    assert (graph.schedule, graph.models) == (SIX, ("basket", "churn"))
    assert [(task.name, task.after) for task in graph.tasks] == [
        ("features", ()),
        ("score_basket", ("features",)),
        ("monitor_basket", ("score_basket",)),
        ("score_churn", ("features",)),
        ("monitor_churn", ("score_churn",)),
        ("retrain_churn", ("monitor_churn",)),
        ("finalize", ("monitor_basket", "retrain_churn")),
    ]


def test_each_schedule_is_a_graph_of_its_own(model):
    hourly, daily = model("a", monitor={"schedule": "0 * * * *"}), model("b", monitor={"schedule": SIX})
    assert [graph.models for graph in graphs_of([daily, hourly])] == [("a",), ("b",)]


def test_a_model_without_a_schedule_has_no_tasks(model):
    assert graphs_of([model("a"), model("b", retrain={"on_new_rows": 5})]) == []


def test_what_monitors_nothing_by_schedule_has_the_schedule_of_its_retraining(model):
    weekly = "0 3 * * 1 UTC"
    assert cadence(model("a", retrain={"schedule": weekly})) == weekly
    assert cadence(model("a", retrain={"schedule": weekly}, monitor={"schedule": SIX})) == SIX


@pytest.mark.parametrize(
    ("schedule", "name"),
    [
        (SIX, "0_6_x_x_x_europe_berlin"),
        ("*/15 1-5,7 L * 5L", "x_15_1_to_5_and_7_l_x_5l_utc"),
        ("0 0 1 JAN * Etc/GMT+5", "0_0_1_jan_x_etc_gmt_plus_5"),
    ],
)
def test_a_graph_has_a_name_that_an_object_may_have(model, schedule, name):
    (graph,) = graphs_of([model("a", monitor={"schedule": schedule})])
    assert graph.name == name


def test_a_graph_waits_if_all_its_models_do_and_for_any_of_their_tables(model):
    orders, visits = Relation("raw", "orders"), Relation("raw", "visits")
    names = {"a": orders, "b": visits, "c": None}
    specs = [
        model(name, monitor={"schedule": SIX}).model_copy(update={"stream": stream})
        for name, stream in names.items()
    ]
    (graph,) = graphs_of(specs[:2])
    assert graph.streams == (orders, visits)
    assert stream_of(graph, orders, "snowml").name == "snowml_0_6_x_x_x_europe_berlin_raw_orders"
    # One that waits for nothing is due by the clock.
    assert graphs_of(specs)[0].streams == ()

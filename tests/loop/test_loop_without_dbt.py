"""Train, promote, predict, roll back: on a DuckDB file, without a dbt project."""

import re
from datetime import timedelta
from pathlib import Path

import handmade
import numpy as np
import pytest
from elsewhere import ask_elsewhere

import snowml
from snowml.errors import ArtifactError, DataError, GateFailed, NotPromoted, SpecError, UserError
from snowml.monitoring.window import Window
from snowml.names import Relation
from snowml.spec.estimators import ESTIMATORS
from snowml.workflows.certificate.parity import audit_parity
from snowml.workflows.champion import load_artifact
from snowml.workflows.monitor import _volume
from snowml.workflows.promote import rollback
from snowml.workflows.specs import Located
from snowml.workflows.train import train

REPOSITORY = Path(snowml.__file__).parent.parent
TYPES = [
    ("BOOLEAN", False, True),
    ("INTEGER", 0, 1),
    ("VARCHAR", "on time", "it's late"),
    ("DECIMAL(4,0)", 0, 1),
]
ARGUMENTS = 'speed, "Wind ""Gust"" m/s?", town'
QUERY = (
    f"select id, predict_lateness({ARGUMENTS}) as answer, predict_lateness_proba({ARGUMENTS}) as score "
    "from training_set order by id"
)
PLAIN = "from duckdb import connect; connection = connect(sys.argv[1], read_only=True)"
OURS = (
    "from snowml.engines.duckdb.connection import DuckDBFile; "
    "connection = DuckDBFile(sys.argv[1]).open(read_only=True)"
)


@pytest.fixture
def house(tmp_path):
    file = handmade.file_at(tmp_path)
    engine, registry = handmade.open_file(file)
    yield file, engine, registry
    engine.close()


def fill(engine, kind="BOOLEAN", negative=False, positive=True, **columns):
    handmade.fill(engine, handmade.frame(negative=negative, positive=positive).assign(**columns))
    engine.execute(f"alter table training_set alter late type {kind}")


@pytest.mark.parametrize(("kind", "negative", "positive"), TYPES)
@pytest.mark.parametrize(
    ("estimator", "positive_is_second"),
    [("logistic_regression", True), ("logistic_regression", False), ("hist_gradient_boosting", False)],
)
def test_labels_of_any_type_and_either_class(house, estimator, kind, negative, positive, positive_is_second):
    _, engine, registry = house
    wanted = positive if positive_is_second else negative
    fill(engine, kind, negative, positive)
    trained = handmade.train_one(engine, registry, estimator, positive=wanted)
    assert trained.passed
    assert trained.version.signature.positive == wanted
    promoted = handmade.promote_one(engine, registry)
    assert promoted.parity.certified
    rows = engine.query(f"select *, typeof(answer) as kind from ({QUERY})").to_pylist()
    assert {row["answer"] for row in rows} == {negative, positive}
    assert {row["kind"] for row in rows} == {kind}
    assert all((row["answer"] == wanted) == (row["score"] > 0.5) for row in rows)
    truth = engine.query("select late from training_set order by id").to_pylist()
    assert np.mean([row["answer"] == label["late"] for row, label in zip(rows, truth, strict=True)]) > 0.7


@pytest.mark.parametrize(
    ("estimator", "door"), [("logistic_regression", PLAIN), ("hist_gradient_boosting", OURS)]
)
def test_a_new_process_gets_the_same_answers_before_and_after_a_roll_back(house, estimator, door):
    file, engine, registry = house
    fill(engine)
    handmade.train_one(engine, registry, estimator)
    handmade.promote_one(engine, registry)
    first = engine.query(QUERY).to_pylist()
    handmade.train_one(engine, registry, estimator, features={"exclude": ["speed"]}, now=handmade.NOW)
    assert handmade.promote_one(engine, registry).previous == 1
    assert registry.champion("lateness").version == 2
    rolled = rollback(engine, registry, "lateness", now=handmade.NOW + timedelta(hours=1))
    assert (rolled.version.version, rolled.previous) == (1, 2)
    assert engine.query(QUERY).to_pylist() == first
    engine.close()
    assert ask_elsewhere(file.path, door, QUERY) == [list(row.values()) for row in first]


@pytest.mark.parametrize("estimator", ["ridge", "hist_gradient_boosting", "random_forest"])
def test_a_regression(house, estimator):
    _, engine, registry = house
    fill(engine, "DOUBLE", 0.0, 1.0)
    params = {"random_forest": {"n_estimators": 3}}.get(estimator, {})
    handmade.train_one(engine, registry, estimator, task="regression", params=params)
    assert handmade.promote_one(engine, registry).parity.held_out == 50
    (row,) = engine.query(f"select avg(predict_lateness({ARGUMENTS})) as mean from training_set").to_pylist()
    assert 0.3 < row["mean"] < 0.7


def test_the_champion_is_a_gate_for_the_next_version(house):
    _, engine, registry = house
    fill(engine)
    gates = [{"better_than": "champion", "metric": "roc_auc"}]
    first = handmade.train_one(engine, registry, gates=gates)
    assert [verdict.text for verdict in first.verdicts] == ["better than the champion: there is none yet"]
    handmade.promote_one(engine, registry)
    second = handmade.train_one(engine, registry, gates=gates, features={"exclude": ["speed", "town"]})
    assert (second.status, second.passed) == ("rejected", False)
    assert second.measured["champion"]["test"] == first.measured["model"]["test"]
    with pytest.raises(
        GateFailed, match=r"version 2 did not pass its gates .*wanted better than the champion"
    ):
        handmade.promote_one(engine, registry, version=2)
    assert registry.champion("lateness").version == 1


def test_a_champion_that_refuses_a_row_cannot_be_compared_with(house):
    _, engine, registry = house
    fill(engine)
    handmade.train_one(engine, registry)
    handmade.promote_one(engine, registry)
    engine.execute("update training_set set speed = 'inf'::double where id = 290")
    gates = [{"better_than": "champion", "metric": "roc_auc"}]
    second = handmade.train_one(engine, registry, "hist_gradient_boosting", gates=gates)
    assert "champion" not in second.measured
    assert "could not be compared with the champion: it refuses a row" in second.verdicts[0].text


def test_a_row_that_scikit_learn_refuses_is_null_on_both_sides_of_the_certificate(house):
    _, engine, registry = house
    fill(engine)
    handmade.train_one(engine, registry)
    engine.execute("update training_set set speed = 'inf'::double, late = null where id in (280, 290)")
    promoted = handmade.promote_one(engine, registry)
    assert promoted.parity.certified
    assert [row["answer"] for row in engine.query(QUERY).to_pylist() if row["id"] in (280, 290)] == [
        None,
        None,
    ]


def test_infinities_are_named_before_fitting(house):
    _, engine, registry = house
    fill(engine)
    engine.execute("update training_set set speed = 'inf'::double where id < 3")
    with pytest.raises(DataError, match=r"logistic_regression takes no .* infinities: 'speed' in 3 rows"):
        handmade.train_one(engine, registry)
    assert registry.versions("lateness") == []
    assert handmade.train_one(engine, registry, "hist_gradient_boosting").passed


def test_one_class_in_the_train_split_is_named(house):
    _, engine, registry = house
    fill(engine)
    engine.execute("update training_set set late = true where id < 200")
    with pytest.raises(DataError, match="train split has the label False"):
        handmade.train_one(engine, registry)


def test_training_again_gives_the_same_model_and_the_next_number(house):
    _, engine, registry = house
    fill(engine)
    one, two = (handmade.train_one(engine, registry, "hist_gradient_boosting") for _ in range(2))
    assert (one.version.version, two.version.version) == (1, 2)
    assert one.run.fingerprint == two.run.fingerprint
    assert one.measured["model"] == two.measured["model"]


def test_nothing_to_promote_and_nothing_to_roll_back_to(house):
    _, engine, registry = house
    fill(engine)
    handmade.train_one(engine, registry)
    with pytest.raises(NotPromoted):
        rollback(engine, registry, "lateness", now=handmade.NOW)
    handmade.promote_one(engine, registry)
    handmade.promote_one(engine, registry)
    with pytest.raises(UserError, match="nothing to roll back to"):
        rollback(engine, registry, "lateness", now=handmade.NOW)


@pytest.mark.parametrize("estimator", ["logistic_regression", "random_forest"])
def test_a_file_of_the_registrys_own_name_and_renamed_later(tmp_path, estimator):
    file = handmade.file_at(tmp_path, "snowml.duckdb")
    engine, registry = handmade.open_file(file)
    fill(engine)
    params = {"random_forest": {"n_estimators": 3}}.get(estimator, {})
    handmade.train_one(engine, registry, estimator, params=params)
    handmade.promote_one(engine, registry)
    first = engine.query(QUERY).to_pylist()
    engine.close()
    Path(file.path).rename(tmp_path / "renamed.duckdb")
    engine, registry = handmade.open_file(handmade.file_at(tmp_path, "renamed.duckdb"))
    assert engine.query(QUERY).to_pylist() == first
    handmade.train_one(engine, registry, estimator, params=params)
    assert handmade.promote_one(engine, registry).previous == 1
    engine.close()


CHAMPION_GATE = [{"better_than": "champion", "metric": "roc_auc"}]


@pytest.mark.parametrize(
    ("days_back", "split"),
    [(20, {"validation": "15 days", "test": "15 days"}), (0, {"validation": "15 days", "test": "16 days"})],
)
def test_the_champion_is_not_judged_on_rows_that_it_was_made_with(house, days_back, split):
    _, engine, registry = house
    fill(engine)
    handmade.train_one(engine, registry)
    handmade.promote_one(engine, registry)
    as_of = handmade.AS_OF - timedelta(days=days_back)
    second = handmade.train_one(engine, registry, as_of=as_of, split=split, gates=CHAMPION_GATE)
    assert "champion" not in second.measured
    assert "champion" not in registry.metrics(handmade.MODEL)[second.run.run_id]
    assert second.unmeasured == registry.run(second.run.run_id).params["champion_unmeasured"]
    assert second.unmeasured.startswith(
        "version 1 was trained on rows of this test window. Let the test window begin"
    )
    assert f"{handmade.AS_OF - timedelta(days=15):%Y-%m-%d %H:%M} or later" in second.unmeasured
    assert (second.status, second.summary()["champion"]) == ("rejected", None)
    assert second.verdicts[0].text.endswith(f"could not be compared with the champion: {second.unmeasured}")
    again = handmade.train_one(
        engine, registry, as_of=as_of, split=split, gates=CHAMPION_GATE, if_changed=True
    )
    assert (again.fresh, again.verdicts) == (False, second.verdicts)


def test_the_champion_is_judged_where_its_validation_ends_as_the_test_window_begins(house):
    _, engine, registry = house
    fill(engine)
    handmade.train_one(engine, registry)
    handmade.promote_one(engine, registry)
    split = {"validation": "30 days", "test": "14 days"}
    second = handmade.train_one(engine, registry, split=split, gates=CHAMPION_GATE)
    assert second.unmeasured is None
    assert second.measured["champion"]["test"]


@pytest.mark.parametrize("functions", ["in place", "gone"])
@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("delete from snowml.artifacts", "is not in"),
        ("update snowml.artifacts set data = 'x'::blob", "not the one that was registered"),
    ],
)
def test_a_lost_champion_is_replaced_by_training_and_promoting(house, damage, what, functions):
    _, engine, registry = house
    fill(engine)
    handmade.train_one(engine, registry)
    handmade.promote_one(engine, registry)
    engine.execute(damage)
    if functions == "gone":
        engine.execute("drop macro main.predict_lateness")
    with pytest.raises(
        ArtifactError, match=rf"lateness version 1 cannot be read: .*{what}.* snowml train lateness"
    ):
        load_artifact(registry, registry.version(handmade.MODEL, 1))
    judged = handmade.train_one(engine, registry, gates=CHAMPION_GATE)
    assert judged.status == "rejected"
    second = handmade.train_one(engine, registry)
    assert second.unmeasured.startswith("version 1 is lost. The artifact")
    assert what in second.unmeasured
    assert handmade.promote_one(engine, registry).version.version == 3
    assert all(row["answer"] is not None for row in engine.query(QUERY).to_pylist())


def test_a_champion_that_reads_what_is_gone_is_not_measured_and_the_remedy_is_a_sentence_of_its_own(house):
    _, engine, registry = house
    fill(engine)
    handmade.train_one(engine, registry)
    handmade.promote_one(engine, registry)
    engine.execute("alter table training_set rename column speed to speeds")
    assert re.search(r"Did you mean 'speeds'\? A gate that", handmade.train_one(engine, registry).unmeasured)


def test_volumes_are_compared_with_all_rows_of_the_test_window_labelled_or_not(house):
    _, engine, registry = house
    fill(engine)
    start, day = handmade.AS_OF - timedelta(days=15), timedelta(days=1)
    engine.execute("update training_set set late = null where as_of >= ? and id % 3 > 0", [start])
    (row,) = engine.query(
        "select count(*) as n from training_set where as_of >= ? and as_of < ?", [start, handmade.AS_OF]
    ).to_pylist()
    trained = handmade.train_one(engine, registry)
    assert registry.run(trained.run.run_id).row_counts["test_window"] == row["n"] == 50
    assert trained.run.row_counts["test"] < 20
    window = Window("as_of", handmade.AS_OF - 3 * day, handmade.AS_OF)
    volume = _volume(registry, handmade.spec(), trained.version, window, 10)
    assert volume.value == pytest.approx(1.0)
    engine.execute("update snowml.runs set row_counts = '{\"test\": 25}'")
    assert _volume(registry, handmade.spec(), trained.version, window, 10).value == pytest.approx(2.0)


def test_a_training_set_that_ends_where_labels_do_is_no_fall_of_volume(house):
    _, engine, registry = house
    fill(engine)
    day = timedelta(days=1)
    engine.execute("update training_set set known_at = as_of + interval 6 day")
    engine.execute("delete from training_set where known_at > ?", [handmade.AS_OF])
    trained = handmade.train_one(engine, registry)
    window = Window("as_of", handmade.AS_OF - 3 * day, handmade.AS_OF)
    assert _volume(registry, handmade.spec(), trained.version, window, 10).value == pytest.approx(
        1.0, abs=0.03
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "alter table scoring drop column speed",
            "main.scoring has no column 'speed', which lateness version 1 reads",
        ),
        (
            "alter table scoring alter speed type varchar",
            "'speed' of main.scoring was a number when lateness version 1",
        ),
    ],
)
def test_a_version_that_the_scoring_set_cannot_feed_is_not_promoted(house, change, told):
    _, engine, registry = house
    fill(engine)
    engine.execute("create table scoring as from training_set")
    engine.execute(change)
    scoring = Relation("main", "scoring")
    located = Located(handmade.spec().model_copy(update={"scoring_set": scoring}))
    train(engine, registry, located, as_of=handmade.AS_OF, now=handmade.NOW)
    with pytest.raises(DataError, match=f"lateness version 1 is not promoted.\n.*{told}"):
        handmade.promote_one(engine, registry)
    assert registry.champions("lateness") == []
    engine.execute("drop table scoring")
    assert handmade.promote_one(engine, registry).version.version == 1


def test_an_older_version_whose_column_is_gone_is_named_with_it(house):
    _, engine, registry = house
    fill(engine)
    engine.execute("create table scoring as from training_set")
    located = Located(handmade.spec().model_copy(update={"scoring_set": Relation("main", "scoring")}))
    train(engine, registry, located, as_of=handmade.AS_OF, now=handmade.NOW)
    engine.execute("alter table training_set drop column speed")
    told = r"version 1 cannot be compared.\nmain.training_set has no column 'speed', which lateness version 1 reads"
    with pytest.raises(DataError, match=told):
        audit_parity(registry, handmade.MODEL, 1, handmade.NOW)
    # Its certificate is of the very functions that would serve; what it reads is there where it is served.
    assert handmade.promote_one(engine, registry, version=1).version.version == 1


def test_a_number_whose_square_has_no_room_is_named_with_its_limit(house):
    _, engine, registry = house
    fill(engine)
    engine.execute("update training_set set speed = 1e300 where id = 290")
    told = r"no number above 1e\+149 nor infinities: 'speed' in 1 rows \(such as 1e\+300\)"
    with pytest.raises(DataError, match=told):
        handmade.train_one(engine, registry)
    engine.execute("update training_set set speed = -9e148 where id > 200")
    assert handmade.train_one(engine, registry).passed is not None


# Their solvers may not converge on such numbers, which scikit-learn warns of; three of them refuse negative labels too.
SOLVED_IN_STEPS = ("lasso", "elastic_net", "quantile", "poisson", "gamma", "tweedie")


@pytest.mark.parametrize("estimator", ESTIMATORS["regression"])
def test_a_regression_takes_labels_up_to_a_limit_and_names_what_is_beyond(house, estimator):
    _, engine, registry = house
    fill(engine, "DOUBLE", -9e36, 9e36)
    params = {"n_estimators": 3} if estimator in ("random_forest", "extra_trees", "gradient_boosting") else {}
    gates = [{"metric": "rmse", "min": 0}]
    changes = {"task": "regression", "params": params, "gates": gates, "metric": "rmse"}
    if estimator not in SOLVED_IN_STEPS:
        trained = handmade.train_one(engine, registry, estimator, **changes)
        assert 0 < trained.measured["model"]["test"]["rmse"] < 2e37
    engine.execute("update training_set set late = 1e300 where id = 290")
    told = r"main.training_set: the label 'late' is beyond 1e\+37 in 1 rows \(up to 1e\+300\)"
    with pytest.raises(DataError, match=told):
        handmade.train_one(engine, registry, estimator, **changes)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"depth": 3}, "params.depth: The estimator 'logistic_regression' has no parameter 'depth'"),
        ({"max_iter": -5}, "params.max_iter: The 'max_iter' parameter of LogisticRegression must be"),
        ({"n_jobs": 5}, "params.n_jobs: The parameter 'n_jobs' .* is set by snowml"),
    ],
)
def test_parameters_are_checked_before_the_data_is_read(house, params, told):
    _, engine, registry = house
    with pytest.raises(SpecError, match=told):
        handmade.train_one(engine, registry, params=params)


def test_a_label_of_one_class_is_told_with_its_model_table_and_column(house):
    _, engine, registry = house
    fill(engine, "BOOLEAN", True, True)
    with pytest.raises(
        DataError, match=r"^lateness: the label 'late' of main.training_set has 1 value \(True\)"
    ):
        handmade.train_one(engine, registry)

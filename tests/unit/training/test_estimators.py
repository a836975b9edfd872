import pytest

from snowml.errors import UserError
from snowml.spec import estimators as written
from snowml.training.estimators import ESTIMATORS, create, names_for


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_each_is_created_seeded_and_on_one_thread(task):
    for name in names_for(task):
        params = create(name, task, {}, 42).get_params()
        assert params.get("random_state", 42) == 42
        if "forest" in name or name == "extra_trees":
            assert params["n_jobs"] == 1


def test_there_are_eighteen():
    assert len(ESTIMATORS) == 18
    assert "ridge" not in names_for("classification")
    assert "logistic_regression" not in names_for("regression")


@pytest.mark.parametrize(
    ("name", "task", "params", "message"),
    [
        ("random_forrest", "regression", {}, "Did you mean 'random_forest'"),
        ("xgbost", "regression", {}, "There is no estimator 'xgbost'. Did you mean 'xgboost'"),
        (
            "ridge",
            "classification",
            {},
            "'ridge' cannot do classification. These can: hist_gradient_boosting",
        ),
        ("logistic_regression", "regression", {}, "cannot do regression"),
        ("ridge", "regression", {"alfa": 1}, "'ridge' has no parameter 'alfa'. Did you mean 'alpha'.*copy_X"),
        ("ridge", "regression", {"zzz": 1}, r"no parameter 'zzz'. Known: alpha, copy_X"),
        ("random_forest", "regression", {"n_jobs": 4}, "'n_jobs' of 'random_forest' is set by snowml"),
        ("lasso", "regression", {"random_state": 4}, "'random_state' of 'lasso' is set by snowml"),
    ],
)
def test_what_is_wrong_is_said(name, task, params, message):
    with pytest.raises(UserError, match=message):
        create(name, task, params, 0)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_specification_may_name_what_training_can_do(task):
    assert sorted(written.ESTIMATORS[task]) == sorted(names_for(task))

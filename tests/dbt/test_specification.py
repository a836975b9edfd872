"""What is wrong with a specification is told with its place, before anything runs."""

import pytest
import shop

from snowml.errors import SpecError

pytestmark = pytest.mark.dbt


def line_of(project: shop.Shop, text: str) -> int:
    """The line of `models/ml.yml` that has a text."""
    lines = (project.folder / "models/ml.yml").read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_misspelt_key_is_told_with_file_line_and_suggestion(built: shop.Shop) -> None:
    built.replace("models/ml.yml", "estimator: hist", "estimater: hist")
    answer = built.cli("train", "churn")
    assert answer.code == 2
    place = f"models/ml.yml:{line_of(built, 'estimater')}: "
    assert f"{place}unknown key 'estimater'. Did you mean 'estimator'?" in answer.err
    assert answer.err.count("error:") == 1
    assert "missing" not in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file(built: shop.Shop) -> None:
    built.replace("models/ml.yml", "positive: left", "positiv: left")
    built.replace("models/ml.yml", "metric: roc_auc\n", "metric: roc_acu\n")
    answer = built.cli("train", "churn")
    assert answer.code == 2
    assert answer.err.index("'positive'") < answer.err.index("'roc_auc'")


def test_a_label_that_is_no_column_is_told_at_the_line_of_the_label(built: shop.Shop) -> None:
    built.replace("models/ml.yml", "label: outcome", "label: outcom")
    with pytest.raises(SpecError, match=r"no column 'outcom' in .*Did you mean 'outcome'") as raised:
        built.train("churn")
    assert raised.value.file == "models/ml.yml"
    assert raised.value.line == line_of(built, "label: outcom")


def test_a_training_set_that_is_no_model_is_told_with_a_suggestion(built: shop.Shop) -> None:
    built.replace("models/ml.yml", "training_set: churn_training_set", "training_set: churn_trainings_set")
    answer = built.cli("train", "churn")
    assert answer.code == 2
    assert "Did you mean 'churn_training_set'?" in answer.err
    assert f"ml.yml:{line_of(built, 'churn_trainings_set')}" in answer.err


def test_an_unknown_model_is_told_with_a_suggestion(built: shop.Shop) -> None:
    answer = built.cli("train", "chrun")
    assert answer.code == 2
    assert "no model 'chrun'. Did you mean 'churn'?" in answer.err


def test_a_value_that_was_set_on_the_command_line_is_blamed_on_it(built: shop.Shop) -> None:
    answer = built.cli("train", "churn", "--set", "split.test=never")
    assert answer.code == 2
    assert "override 'split.test'" in answer.err


def test_a_training_set_that_is_not_built_is_told_with_the_next_step(written: shop.Shop) -> None:
    answer = written.cli("train", "churn")
    assert answer.code == 2
    assert "churn_training_set" in answer.err
    assert "snowml build" in answer.err

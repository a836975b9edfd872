"""A table of predictions of more than two classes, by dbt."""

import pytest
import shop

from snowml.errors import ProjectError

pytestmark = pytest.mark.dbt

OUTCOME = "case when coalesce(visits, 50) + 30 * noise < 60 then 'left' else 'stayed' end"
THREE = (
    "case when coalesce(visits, 50) + 30 * noise < 45 then 'left' "
    "when coalesce(visits, 50) + 30 * noise < 80 then 'stayed' else 'bought more' end"
)
TYPES = {
    "shop": "VARCHAR",
    "customer": "VARCHAR",
    "as_of": "TIMESTAMP",
    "prediction": "VARCHAR",
    "score": "DOUBLE",
    "probabilities": "MAP(VARCHAR, DOUBLE)",
    "model_version": "BIGINT",
    "predicted_at": "TIMESTAMP",
}


def three_outcomes(project: shop.Shop) -> shop.Shop:
    project.replace("models/churn_training_set.sql", OUTCOME, THREE)
    project.replace("models/ml.yml", "          positive: left\n", "")
    project.build("churn_training_set")
    project.train("churn")
    project.promote("churn")
    return project


def test_each_row_gets_a_label_its_probability_and_those_of_all(built: shop.Shop) -> None:
    project = three_outcomes(built)
    project.build("churn_predictions")
    assert project.types("churn_predictions") == TYPES
    inputs = "s.visits, s.basket, s.orders, s.region, s.is_member"
    assert project.rows(
        "select count(*), count_if(p.prediction = predict_churn(" + inputs + ")), "
        "count_if(p.probabilities = predict_churn_proba(" + inputs + ")), "
        "count_if(p.score = list_max(map_values(p.probabilities))) "
        "from churn_scoring_set as s inner join churn_predictions as p using (shop, customer, as_of)"
    ) == [(60, 60, 60, 60)]
    assert project.rows("select distinct prediction from churn_predictions order by 1") == [
        ("bought more",),
        ("left",),
        ("stayed",),
    ]
    project.build("churn_predictions")
    assert project.rows("select count(*) from churn_predictions") == [(60,)]
    found = project.cli("monitor", "churn", "--as-of", "2024-07-20", "--window", "60 days", "--json")
    assert "(prediction)" in {row["name"] for row in found.json["features"]}


def test_before_there_is_a_model_the_table_has_the_same_columns(built: shop.Shop) -> None:
    built.replace("models/churn_training_set.sql", OUTCOME, THREE)
    built.replace("models/ml.yml", "          positive: left\n", "")
    built.build("churn_training_set")
    built.build("churn_predictions", snowml_untrained="empty")
    assert built.types("churn_predictions") == TYPES
    assert built.rows("select count(*) from churn_predictions") == [(0,)]


def test_a_table_of_two_classes_is_not_filled_with_less_than_what_three_answer(promoted: shop.Shop) -> None:
    project = three_outcomes(promoted)
    with pytest.raises(
        ProjectError, match=r"has no column probabilities, which version 2 of churn answers.*--full-refresh"
    ):
        project.build("churn_predictions")
    project.build("churn_predictions", refresh=True)
    assert project.types("churn_predictions") == TYPES

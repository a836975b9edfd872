"""The table of predictions: what it holds, and what a further build adds to it."""

from datetime import datetime

import pytest
import shop

pytestmark = pytest.mark.dbt

CHURN = {
    "shop": "VARCHAR",
    "customer": "VARCHAR",
    "as_of": "TIMESTAMP",
    "prediction": "VARCHAR",
    "score": "DOUBLE",
    "model_version": "BIGINT",
    "predicted_at": "TIMESTAMP",
}
SPEND = {**CHURN, "prediction": "DOUBLE"}
COUNTS = "select model_version, count(*) from churn_predictions group by all order by all"


def test_each_row_of_the_scoring_set_is_scored_once(promoted: shop.Shop) -> None:
    assert promoted.rows(
        "select count(*), count(distinct (shop, customer, as_of)), count(score) from churn_predictions"
    ) == [(60, 60, 60)]
    assert promoted.types("churn_predictions") == CHURN
    assert promoted.types("spend_predictions") == SPEND


def test_the_label_follows_from_the_score(promoted: shop.Shop) -> None:
    # 'left' is the first of the two in scikit-learn's order, which a tie goes to.
    assert promoted.rows(
        "select count(*) from churn_predictions where (prediction = 'left') <> (score >= 0.5)"
    ) == [(0,)]
    assert promoted.rows("select distinct prediction from churn_predictions order by 1") == [
        ("left",),
        ("stayed",),
    ]
    assert promoted.rows("select count(*) from spend_predictions where prediction <> score") == [(0,)]


def test_dbt_stores_what_the_function_answers(promoted: shop.Shop) -> None:
    inputs = "s.visits, s.basket, s.orders, s.region, s.is_member"
    for model, function in (("churn", "predict_churn_proba"), ("spend", "predict_spend")):
        assert promoted.rows(
            f"select count(*), count_if(p.score is distinct from {function}({inputs})) "
            f"from {model}_scoring_set as s inner join {model}_predictions as p using (shop, customer, as_of)"
        ) == [(60, 0)]


def test_predicted_at_is_the_moment_the_build_stands_for(promoted: shop.Shop) -> None:
    assert promoted.rows("select distinct predicted_at from churn_predictions") == [(datetime(2024, 6, 30),)]


def test_a_second_build_adds_nothing(promoted: shop.Shop) -> None:
    before = promoted.rows("select * from churn_predictions order by all")
    promoted.build("churn_scoring_set", "churn_predictions")
    assert promoted.rows("select * from churn_predictions order by all") == before


def test_a_later_build_adds_the_rows_that_came_since(promoted: shop.Shop) -> None:
    promoted.build("churn_scoring_set", "churn_predictions", as_of="2024-07-03 12:00")
    assert promoted.rows(
        "select predicted_at, count(*) from churn_predictions group by all order by all"
    ) == [(datetime(2024, 6, 30), 60), (datetime(2024, 7, 3, 12), 7)]


def test_a_row_that_came_late_is_added(promoted: shop.Shop) -> None:
    promoted.replace(
        "models/churn_scoring_set.sql",
        "* exclude (noise)",
        "* exclude (noise) replace (if(customer = 'customer 350', 'customer 350 bis', customer) as customer)",
    )
    promoted.build("churn_scoring_set", "churn_predictions")
    assert promoted.rows(
        "select customer from churn_predictions where customer like 'customer 350%' order by 1"
    ) == [
        ("customer 350",),
        ("customer 350 bis",),
    ]
    assert promoted.rows(COUNTS) == [(1, 61)]


def test_a_row_whose_time_has_not_come_waits_for_the_build_that_stands_for_it(promoted: shop.Shop) -> None:
    promoted.replace("models/churn_scoring_set.sql", "as_of < {{ snowml.as_of() }}", "as_of < '2024-07-05'")
    promoted.build("churn_scoring_set", "churn_predictions", as_of="2024-07-01")
    assert promoted.rows("select max(as_of) from churn_predictions") == [(datetime(2024, 7, 1),)]
    promoted.build("churn_scoring_set", "churn_predictions", as_of="2024-07-02")
    assert promoted.rows("select max(as_of) from churn_predictions") == [(datetime(2024, 7, 2),)]


def test_a_feature_may_have_any_name(written: shop.Shop) -> None:
    for model in ("churn", "spend"):
        for kind in ("training", "scoring"):
            written.replace(
                f"models/{model}_{kind}_set.sql",
                "* exclude (noise)",
                """* exclude (noise) rename (visits as "Vi""sits'")""",
            )
    written.replace("models/churn_training_set.sql", "coalesce(visits", "coalesce(customers.visits")
    written.replace("models/spend_training_set.sql", "coalesce(visits", "coalesce(customers.visits")
    written.build(snowml_untrained="empty")
    written.train("spend")
    written.promote("spend")
    written.build("spend_predictions")
    assert written.rows("select count(score) from spend_predictions") == [(60,)]


def test_a_new_champion_scores_all_of_it_again_and_the_old_scores_stay(promoted: shop.Shop) -> None:
    before = promoted.rows("select * from churn_predictions order by all")
    promoted.train("churn", **{"params.max_iter": 20})
    promoted.promote("churn")
    promoted.build("churn_scoring_set", "churn_predictions")
    assert promoted.rows(COUNTS) == [(1, 60), (2, 60)]
    assert promoted.rows("select * from churn_predictions where model_version = 1 order by all") == before


def test_a_version_that_is_trained_and_not_promoted_scores_nothing(promoted: shop.Shop) -> None:
    promoted.train("churn", **{"params.max_iter": 20})
    promoted.build("churn_scoring_set", "churn_predictions")
    assert promoted.rows(COUNTS) == [(1, 60)]


def test_a_full_refresh_scores_with_the_champion_alone(promoted: shop.Shop) -> None:
    promoted.train("churn", **{"params.max_iter": 20})
    promoted.promote("churn")
    promoted.build("churn_scoring_set", "churn_predictions", refresh=True)
    assert promoted.rows(COUNTS) == [(2, 60)]


def test_a_fresh_target_builds_green_with_empty_predictions_which_a_promotion_fills(
    written: shop.Shop,
) -> None:
    outcome = written.build(snowml_untrained="empty")
    assert not outcome.warnings
    assert written.types("churn_predictions") == CHURN
    assert written.types("spend_predictions") == SPEND
    assert written.rows("select count(*) from churn_predictions") == [(0,)]
    written.train()
    written.build("tag:predictions", snowml_untrained="empty")
    assert written.rows("select count(*) from churn_predictions") == [(0,)]
    written.promote()
    written.build("tag:predictions", snowml_untrained="empty")
    assert written.rows(COUNTS) == [(1, 60)]
    assert written.types("churn_predictions") == CHURN
    assert written.types("spend_predictions") == SPEND


def test_a_boolean_label_is_answered_as_a_boolean(written: shop.Shop) -> None:
    written.replace("models/churn_training_set.sql", "case when", "(case when")
    written.replace("models/churn_training_set.sql", "end as outcome", "end) = 'left' as outcome")
    written.replace("models/ml.yml", "positive: left", "positive: true")
    written.build(snowml_untrained="empty")
    assert written.types("churn_predictions") == {**CHURN, "prediction": "BOOLEAN"}
    written.train("churn")
    written.promote("churn")
    written.build("churn_predictions")
    assert written.rows("select distinct prediction from churn_predictions order by 1") == [(False,), (True,)]

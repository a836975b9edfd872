"""A model that cannot predict says why before any row is scored, and only its own node fails."""

import pytest
import shop

from snowml.errors import ProjectError

pytestmark = pytest.mark.dbt


def failure(project: shop.Shop, *select: str, **variables: object) -> str:
    with pytest.raises(ProjectError) as raised:
        project.build(*select, **variables)
    return str(raised.value)


def test_an_untrained_model_names_the_command_that_trains_it(built: shop.Shop) -> None:
    told = failure(built, "churn_predictions")
    assert "churn_predictions: churn has no version yet. Train it: snowml train churn" in told
    assert "1 node:" in told


def test_a_model_that_the_project_has_not_is_told_from_one_that_is_not_trained(built: shop.Shop) -> None:
    built.write("models/misspelt.sql", "{{ snowml.explain('chrn', ref('churn_scoring_set')) }}")
    told = failure(built, "misspelt")
    assert "This project has no exposure 'chrn' of type ml. It has: churn, spend." in told


def test_one_untrained_model_does_not_keep_the_others_from_predicting(built: shop.Shop) -> None:
    built.train("spend")
    built.promote("spend")
    told = failure(built, "tag:predictions")
    assert "churn has no version yet" in told
    assert "spend_predictions" not in told
    assert built.rows("select count(*) from spend_predictions") == [(60,)]


def test_a_model_that_is_not_promoted_names_its_version_and_the_command_that_promotes_it(
    trained: shop.Shop,
) -> None:
    told = failure(trained, "churn_predictions")
    assert (
        "churn is trained (version 1) but no version is promoted. Promote one: snowml promote churn" in told
    )


def test_a_missing_column_is_named_and_no_row_is_scored(promoted: shop.Shop) -> None:
    before = promoted.rows("select * from churn_predictions order by all")
    promoted.replace("models/churn_scoring_set.sql", "exclude (noise)", "exclude (noise, region)")
    told = failure(
        promoted, "churn_scoring_set", "churn_predictions", "spend_predictions", as_of="2024-07-05"
    )
    assert "region is missing" in told
    assert "snowml train churn" in told
    assert "spend_predictions" not in told
    assert promoted.rows("select * from churn_predictions order by all") == before


def test_a_column_of_another_type_is_named(promoted: shop.Shop) -> None:
    promoted.replace(
        "models/churn_scoring_set.sql",
        "* exclude (noise)",
        "* exclude (noise) replace (orders::varchar as orders)",
    )
    told = failure(promoted, "churn_scoring_set", "churn_predictions")
    assert "orders was a number and is now of another type (category)" in told
    assert "missing" not in told


def test_a_missing_entity_is_named(promoted: shop.Shop) -> None:
    promoted.replace("models/churn_scoring_set.sql", "exclude (noise)", "exclude (noise, customer)")
    assert "customer is missing" in failure(promoted, "churn_scoring_set", "churn_predictions")


@pytest.mark.parametrize(
    ("visits", "basket", "orders", "is_member"),
    [("decimal(9, 3)", "float", "tinyint", "integer"), ("hugeint", "double", "boolean", "ubigint")],
)
def test_every_numeric_type_may_stand_for_a_number(
    promoted: shop.Shop, visits: str, basket: str, orders: str, is_member: str
) -> None:
    types = {"visits": visits, "basket": basket, "orders": orders, "is_member": is_member}
    casts = ", ".join(f"cast({column} as {type_}) as {column}" for column, type_ in types.items())
    promoted.replace(
        "models/spend_scoring_set.sql", "* exclude (noise)", f"* exclude (noise) replace ({casts})"
    )
    promoted.build("spend_scoring_set", "spend_predictions", as_of="2024-07-05")
    assert promoted.rows("select count(*) from spend_predictions where predicted_at = '2024-07-05'") == [
        (10,)
    ]


def test_an_enum_may_stand_for_a_category(promoted: shop.Shop) -> None:
    promoted.replace(
        "models/spend_scoring_set.sql",
        "* exclude (noise)",
        "* exclude (noise) replace (region::enum ('north', 'south', 'east') as region)",
    )
    promoted.build("spend_scoring_set", "spend_predictions", as_of="2024-07-05")
    assert promoted.rows("select count(*) from spend_predictions where predicted_at = '2024-07-05'") == [
        (10,)
    ]


def test_a_list_stands_for_no_number(promoted: shop.Shop) -> None:
    promoted.replace(
        "models/spend_scoring_set.sql", "* exclude (noise)", "* exclude (noise) replace ([basket] as basket)"
    )
    assert "basket was a number" in failure(promoted, "spend_scoring_set", "spend_predictions")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("nullif(customer, 'customer 350') as customer", "customer NULL"),
        (
            "if(customer = 'customer 350', 'customer 352', customer) as customer, date_trunc('week', as_of) as as_of",
            "",
        ),
        ("if(customer = 'customer 350', null, as_of) as as_of", "as_of NULL"),
    ],
)
def test_rows_that_have_no_keys_of_their_own_are_named_and_none_is_scored(
    promoted: shop.Shop, change: str, named: str
) -> None:
    promoted.replace(
        "models/churn_scoring_set.sql", "* exclude (noise)", f"* exclude (noise) replace ({change})"
    )
    before = promoted.rows("select count(*) from churn_predictions")
    told = failure(promoted, "churn_scoring_set", "churn_predictions")
    assert "cannot be scored by churn: it has " in told
    assert named in told
    assert promoted.rows("select count(*) from churn_predictions") == before


def test_a_model_that_is_no_exposure_is_named(trained: shop.Shop) -> None:
    trained.replace("models/churn_predictions.sql", "'churn'", "'chrun'")
    assert "chrun" in failure(trained, "churn_predictions", snowml_untrained="empty")

"""dbt's macro `explain`, and what `snowml show` says."""

import pytest
import shop

pytestmark = pytest.mark.dbt

EXPLAINED = "{{{{ snowml.explain('{model}', ref('{model}_scoring_set')) }}}}"


def test_dbt_stores_what_the_champion_s_function_tells(promoted: shop.Shop) -> None:
    for model in shop.MODELS:
        promoted.write(f"models/{model}_explained.sql", EXPLAINED.format(model=model))
    promoted.build("churn_explained", "spend_explained")
    inputs = "s.visits, s.basket, s.orders, s.region, s.is_member"
    assert promoted.rows(
        f"select count(*), count_if(e.explanation is distinct from explain_churn({inputs})), min(model_version) "
        "from churn_scoring_set as s inner join churn_explained as e using (shop, customer, as_of)"
    ) == [(60, 0, 1)]
    told = "explanation"
    parts = " + ".join(
        f"{told}.{name}" for name in ("visits", "basket", "orders", "region", "is_member", "_base")
    )
    assert promoted.rows(
        f"select count(*), max(abs({parts} - score)) < 1e-9 from spend_explained "
        "inner join spend_predictions using (shop, customer, as_of)"
    ) == [(60, True)]
    shown = promoted.cli("show", "churn")
    assert "explain_churn_v1" in shown.out

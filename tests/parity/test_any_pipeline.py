"""Random pipelines on random data: the SQL, and the kernel of trees, on a real DuckDB against scikit-learn, row by row.

Where every operation is one of comparing, adding and scaling, and the sum's order is known, as in trees, the answers
are the same to the bit, but for the last place of a logistic function. Elsewhere they are compared as a promotion
compares them, within 1e-9: a linear sum is added in another order, and `ln` and `exp` differ in the last place.
"""

import math
from contextlib import suppress

import duckdb
import messy
import numpy as np
import pytest
from hypothesis import Phase, assume, settings
from pipelines import FEATURES, built, data, parts, signature, trials
from scipy.special import expit
from served import served
from sqlglot import parse_one

from snowml.names import quoted
from snowml.registry.trusted import Artifact
from snowml.serving.flavors import choose
from snowml.serving.sql.compiled import score
from snowml.serving.sql.expressions import Unsupported


def sql_answers(pipeline, rows, task):
    sig = signature(task)
    with suppress(Unsupported):
        assert parse_one(score(pipeline, sig, "snowflake"), dialect="snowflake")
    names = ", ".join(quoted(feature.name, "duckdb") for feature in FEATURES)
    with duckdb.connect() as con:
        con.register("batch", rows)
        con.execute(f"create macro predict_m({names}) as {score(pipeline, sig, 'duckdb')}")
        return [row[0] for row in con.execute(f"select predict_m({names}) from batch").fetchall()]


def answers(pipeline, rows):
    """scikit-learn's answers, None for a row that it refuses: halves, until the row is found."""
    try:
        with np.errstate(all="ignore"):
            return messy.bulk(pipeline, rows).tolist()
    except ValueError:
        if len(rows) == 1:
            return [None]
    half = len(rows) // 2
    return answers(pipeline, rows.iloc[:half]) + answers(pipeline, rows.iloc[half:])


def far(got, want, exact):
    if got is None or want is None:
        return got is not want
    if got == want or (math.isnan(got) and math.isnan(want)):
        return False
    return not abs(got - want) <= (1e-15 if exact else 1e-9) * max(1.0, abs(got), abs(want))


def kernel_answers(pipeline, rows, task):
    predict = "predict_m_proba" if task == "classification" else "predict_m"
    with served(pipeline, signature(task), "kernel") as ask:
        return [row[0] for row in ask(rows, predict + "({arguments})")]


def agree(ask, pipeline, rows, task, *, exact):
    got, want = ask(pipeline, rows, task), answers(pipeline, rows)
    wrong = [
        (rows.iloc[i].to_dict(), *pair)
        for i, pair in enumerate(zip(got, want, strict=True))
        if far(*pair, exact)
    ]
    assert not wrong, wrong[:3]
    return want


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # to shrink takes minutes
@parts
def test_any_pipeline(filled, shaped, coded, picked, model, seed):
    made = built(filled, shaped, coded, picked, model, seed)
    if made is None:
        return
    pipeline, exact = made
    inexact = {"power", "log1p", "rows", "rows by l1"} & {shaped} or filled in ("log", "power late")
    # A tree tests what is left of two nearly equal numbers: the last place decides where a row goes.
    assume(not (exact and inexact))
    ways = [sql_answers, kernel_answers] if exact else [sql_answers]
    for ask in ways:
        with suppress(Unsupported):  # too long a text
            agree(ask, pipeline, trials(data(seed)), model[0], exact=exact)


# A raw score is what these make of it; of trees that are averaged it is the answer.
LINKS = {"logistic": expit, "poisson": np.exp, "gamma": np.exp, "tweedie": np.exp, "exponential": expit}


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@parts
def test_any_explanation_adds_up(filled, shaped, coded, picked, model, seed):
    made = built(filled, shaped, coded, picked, model, seed)
    if made is None:
        return
    (task, name), sig = model, signature(model[0])
    link = expit if model == ("classification", "boosting") else LINKS.get(name, lambda raw: raw)
    predict = "predict_m_proba({arguments})" if task == "classification" else "predict_m({arguments})"
    with served(made[0], sig, choose(Artifact(sig, made[0]), "duckdb")) as ask:
        try:
            rows = ask(trials(data(seed)), "explain_m({arguments})", predict)
        except duckdb.Error as error:
            if "cannot tell what each feature contributes" not in str(error):
                raise
            return
    for told, answer in rows:
        assert answer is not None or told is None
        if told is None:
            # So large a sum is no finite number, though a link made an answer of it.
            assert answer is None or answer in (0.0, 1.0) or abs(answer) > 1e30
            continue
        sizes, total = sum(map(abs, told.values())), math.fsum(told.values())
        allowed = 1e-9 * max(1.0, abs(answer)) * max(1.0, sizes / max(1.0, abs(total)))
        assert link(total) == answer or abs(link(total) - answer) <= allowed, (told, answer)

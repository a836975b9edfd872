"""The simple predictors that a model was measured beside, as SQL, so that they can be measured on later rows too."""

from collections.abc import Iterator, Sequence

from snowml.names import Dialect, literal, quoted
from snowml.records import Signature, StoredRule


def rule_scores(rule: StoredRule, signature: Signature, rows: str, version: int, dialect: Dialect) -> str:
    """A query that answers as predictions do, with the rule's score in place of the model's.

    Of more than two classes, with the columns `share_names` for their probabilities.

    Args:
        rule: The predictor.
        signature: That of the version it was measured beside.
        rows: A query for the rows, with the features.
        version: That version's number, under which the answers go.
        dialect: The warehouse's.
    """
    keys = ", ".join(quoted(name, dialect) for name in (*signature.entity, signature.as_of))
    if signature.is_multiclass:
        names = share_names(signature)
        shares = [_score(rule, [means[i] for means in rule.shares], dialect) for i in range(len(names))]
        listed = ", ".join(f"{share} as {name}" for share, name in zip(shares, names, strict=True))
        largest = f"greatest({', '.join(names)})"
        cases = " ".join(
            f"when {name} then {literal(label, dialect)}"
            for name, label in zip(names, signature.classes, strict=True)
        )
        return (
            f"select {keys}, case {largest} {cases} end as prediction, {largest} as score, {', '.join(names)}, "
            f"{int(version)} as model_version from (select {keys}, {listed} from ({rows}) as ruled) as scored"
        )
    return (
        f"select {keys}, {_prediction(signature, dialect)} as prediction, score, {int(version)} as model_version "
        f"from (select {keys}, {_score(rule, rule.means, dialect)} as score from ({rows}) as ruled) as scored"
    )


def _prediction(signature: Signature, dialect: Dialect) -> str:
    if signature.task == "regression":
        return "score"
    assert signature.positive is not None  # a classifier's signature names it
    negative = next(label for label in signature.classes if label != signature.positive)
    return f"case when score > 5e-1 then {literal(signature.positive, dialect)} else {literal(negative, dialect)} end"


def share_names(signature: Signature) -> tuple[str, ...]:
    """The columns of a rule's probabilities where there are more than two classes."""
    return tuple(f"share_{i}" for i in range(len(signature.classes)))


def _score(rule: StoredRule, means: Sequence[float], dialect: Dialect) -> str:
    *known, last = (literal(mean, dialect) for mean in means)
    if rule.feature is None:
        return last
    column = quoted(rule.feature.name, dialect)
    values: Sequence[float | str] = rule.known
    if rule.feature.kind == "category":
        pairs = zip(values, known, strict=True)
        cases = [
            f"when cast({column} as varchar) = {literal(value, dialect)} then {mean}" for value, mean in pairs
        ]
        return f"case {' '.join(cases)} else {last} end" if cases else last
    number = f"nullif(cast({column} as double), cast('NaN' as double))"
    return f"case when {number} is null then {last} {' '.join(_below(number, values, known, dialect))} end"


def _below(number: str, edges: Sequence[float | str], means: list[str], dialect: Dialect) -> Iterator[str]:
    """The bins of a number, from the lowest: the first edge that it is below is the upper end of its bin."""
    for edge, mean in zip(edges, means, strict=False):
        yield f"when {number} < {literal(edge, dialect)} then {mean}"
    yield f"else {means[-1]}"

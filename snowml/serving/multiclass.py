"""What is made of the probabilities of more than two classes, as SQL.

Inside, they are a list of doubles in the order of the classes (DuckDB), or an OBJECT by the text of each label
(Snowflake). Where two are equally large, the label is the first of them, as scikit-learn's argmax has it.
"""

from collections.abc import Sequence

from snowml.names import Dialect, literal, quoted
from snowml.records import Label, Signature
from snowml.serving.sql.expressions import LARGEST_EXPONENT

PROBABILITIES = "probabilities"


def map_type(signature: Signature, dialect: Dialect) -> str:
    """The type of what `predict_<model>_proba` answers."""
    return f"map({signature.label_type}, double)" if dialect == "duckdb" else "object"


def key(label: Label) -> str:
    """A label as a key of an OBJECT: the text that Snowflake's cast makes of it."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def probability_of(probabilities: str, label: Label, signature: Signature, dialect: Dialect) -> str:
    """One class's probability, out of what `predict_<model>_proba` answers."""
    if dialect == "snowflake":
        return f"cast(get({probabilities}, {literal(key(label), dialect)}) as float)"
    return f"{probabilities}[cast({literal(label, dialect)} as {signature.label_type})]"


def probability_of_predicted(probabilities: str, prediction: str, dialect: Dialect) -> str:
    """The probability of the label that a column holds."""
    if dialect == "snowflake":
        return f"cast(get({probabilities}, cast({prediction} as varchar)) as float)"
    return f"{probabilities}[{prediction}]"


def by_label(probabilities: Sequence[str], signature: Signature, dialect: Dialect) -> str:
    """Some expressions, one for each class, as what `predict_<model>_proba` answers; NULL where the first is."""
    if dialect == "duckdb":
        listed = mapped(f"[{', '.join(probabilities)}]", signature)
    else:
        pairs = zip(signature.classes, probabilities, strict=True)
        listed = ", ".join(f"{literal(key(label), dialect)}, {one}" for label, one in pairs)
        listed = f"object_construct({listed})"
    return f"case when {probabilities[0]} is not null then {listed} end"


def mapped(shares: str, signature: Signature) -> str:
    """DuckDB: a list of probabilities as a map by label; NULL of NULL."""
    return f"map({_labels(signature)}, {shares})"


def label_of_list(shares: str, signature: Signature) -> str:
    """DuckDB: the label of the largest of a list, which is computed once."""
    return f'list_transform([{shares}], lambda "x": {_largest("x", signature)})[1]'


def label_of_map(signature: Signature, dialect: Dialect) -> str:
    """The label of the largest of the parameter `probabilities`; NULL of NULL."""
    given = quoted(PROBABILITIES, dialect)
    if dialect == "snowflake":
        values = [probability_of(given, label, signature, dialect) for label in signature.classes]
        cases = [
            f"when {value} then {literal(label, dialect)}"
            for value, label in zip(values, signature.classes, strict=True)
        ]
        return f"case greatest({', '.join(values)}) {' '.join(cases)} end"
    ordered = f'list_transform({_labels(signature)}, lambda "c": {given}["c"])'
    return f"case when {given} is not null then {label_of_list(ordered, signature)} end"


def softmax(margins: Sequence[str]) -> str:
    """DuckDB: raw scores as a list of probabilities; NULL where the row is refused, so that they are NULL."""
    risen = 'list_transform("z", lambda "v": exp("v" - list_max("z")))'
    shares = f'list_transform([{risen}], lambda "e": list_transform("e", lambda "v": "v" / list_sum("e")))[1]'
    return f'list_transform([[{", ".join(margins)}]], lambda "z": case when "z"[1] is not null then {shares} end)[1]'


def softmax_of_parameters(signature: Signature) -> tuple[tuple[str, ...], str]:
    """Snowflake: the parameters and the body of a function from raw scores to an OBJECT of probabilities.

    A parameter is the only name that an expression can give a value there, and what is mentioned often may be computed
    often: each probability is one over a sum of exponentials, `1 / sum(exp(other - own))`, which takes one function.
    Equal scores have equal sums.
    """
    names = tuple(f"c{i}" for i in range(len(signature.classes)))
    columns = [quoted(name, "snowflake") for name in names]
    pairs = []
    for label, own in zip(signature.classes, columns, strict=True):
        terms = [
            "1e0" if other == own else f"exp(least({other} - {own}, {LARGEST_EXPONENT}e0))"
            for other in columns
        ]
        pairs.append(f"{literal(key(label), 'snowflake')}, 1e0 / ({' + '.join(terms)})")
    # An OBJECT has no NULL in it: it would leave the key out.
    return names, f"case when {columns[0]} is not null then object_construct({', '.join(pairs)}) end"


def _labels(signature: Signature) -> str:
    listed = ", ".join(literal(label, "duckdb") for label in signature.classes)
    return f"cast([{listed}] as {signature.label_type}[])"


def _largest(name: str, signature: Signature) -> str:
    column = quoted(name, "duckdb")
    return f"{_labels(signature)}[list_position({column}, list_max({column}))]"

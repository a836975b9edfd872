"""Rows made to tell a way of serving from the pipeline that it serves: real rows with hostile values in them."""

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from snowml.records import Feature
from snowml.registry.trusted import Artifact
from snowml.workflows.certificate.splits import Floats, Path, is_narrow, trees

_FLOAT32_MAX: Final = float(np.finfo(np.float32).max)
# Halfway between the largest float32 and the next power of two, where rounding to float32 makes an infinity.
_OVERFLOW: Final = 3.4028235677973366e38
# None is NULL, which a warehouse tells from NaN, and a pipeline does not.
NUMBERS: Final = (
    *(
        None,
        math.nan,
        math.inf,
        -math.inf,
        0.0,
        -0.0,
        5e-324,
        -5e-324,
        2.2250738585072014e-308,
        1e-308,
        1e-35,
    ),
    *(_FLOAT32_MAX, math.nextafter(_FLOAT32_MAX, 0.0), math.nextafter(_FLOAT32_MAX, math.inf), -_FLOAT32_MAX),
    *(_OVERFLOW, math.nextafter(_OVERFLOW, 0.0), 1e39, -1e39, 1e300, 1e308, -1e308),
    *(1.7976931348623157e308, -1.7976931348623157e308, 2.0**53, 2.0**53 + 2.0, -(2.0**53) - 2.0, 2.0**63),
)
# Not a double each: how they become one is part of the comparison.
INTEGERS: Final = (2**53 + 1, -(2**53) - 1, 2**53 + 3, 2**62 + 1, 2**63 - 1, -(2**63))
TEXTS: Final = (
    *(None, "", " ", "never seen", "\N{SNOWMAN}", "\N{PILE OF POO}", "\N{REPLACEMENT CHARACTER} unseen"),
    *(
        "e\N{COMBINING ACUTE ACCENT}",
        "\N{LATIN SMALL LETTER E WITH ACUTE}",
        "it's",
        'say "hi"',
        "back\\slash",
    ),
    *("a\nb", "a\tb", "NULL", "None", "nan", "x" * 1000),
)
# Rows at thresholds; where the trees have more nodes than these have room for, evenly chosen ones.
THRESHOLD_ROWS: Final = 40_000
# Categories of each feature; where there are more, evenly chosen ones.
CATEGORIES: Final = 300
MIXES: Final = 200
# Rows of single hostile numbers; where that is not all of them for each feature, each has some, and all have each.
SINGLES: Final = 3_000
# Rows tried at each node, to find one whose answer changes there: some do not come to it for their categories' sake.
_TRIED: Final = 6
# Of several huge numbers in one row the order of a sum decides which of its digits are lost.
_HUGE: Final = 1e30

Scores = Callable[[pd.DataFrame], Floats]


@dataclass(frozen=True, slots=True)
class Hostile:
    """Hostile rows.

    Attributes:
        table: The signature's features as a warehouse holds them, NULL and NaN apart.
        kinds: Why each row is there: `threshold`, `number`, `category`, `mixed`, `missing` or `integer`.
    """

    table: pa.Table
    kinds: NDArray[np.object_]


def adversarial(artifact: Artifact, base: pd.DataFrame, scores: Scores) -> list[Hostile]:
    """Hostile rows for a version, the same ones each time: of doubles, then of whole numbers where it takes numbers.

    Args:
        artifact: The pipeline, whose thresholds and categories are known.
        base: Real rows that it answers, at least one.
        scores: What scikit-learn answers to a frame.
    """
    signature = artifact.signature
    rows = _Rows(signature.features, base)
    rows.at_thresholds(artifact, scores)
    for place, name in enumerate(signature.numbers):
        rows.single("number", name, _turn(NUMBERS, place, len(signature.numbers)))
    known = _known(artifact)
    for name in signature.categories:
        rows.single("category", name, _texts(known.get(name, []), base[name]))
    rows.mixed(MIXES)
    rows.missing()
    return [rows.doubles(), *rows.integers()]


class _Rows:
    """Rows as they are made, each a real one with changes."""

    def __init__(self, features: tuple[Feature, ...], base: pd.DataFrame) -> None:
        self._features, self._base = features, base
        self._random = np.random.default_rng(zlib.crc32(repr(features).encode()))
        self._picked: list[int] = []
        self._changes: list[dict[str, Any]] = []
        self._kinds: list[str] = []
        self._hostile: dict[str, list[Any]] = {feature.name: [] for feature in features}

    def single(self, kind: str, name: str, values: tuple[Any, ...] | list[Any]) -> None:
        """A row for each value of a feature, all else as it was."""
        self._hostile[name] += values
        for value in values:
            self._add(kind, self._any(), {name: value})

    def at_thresholds(self, artifact: Artifact, scores: Scores) -> None:
        """For each test of a number in a tree, rows that come to it with the values around its threshold."""
        names, model = artifact.signature.numbers, artifact.pipeline[-1]
        narrow = is_narrow(model)
        paths = [path for tree in trees(model) for path in tree.paths() if path.column < len(names)]
        paths = _evenly(paths, THRESHOLD_ROWS // _BESIDE[narrow])
        for path, row, changed in self._arriving(paths, names, scores, narrow=narrow):
            name = names[path.column]
            self._hostile[name].append(path.threshold)
            for near in _around(path.threshold, narrow=narrow):
                self._add("threshold", row, changed | {name: near})

    def mixed(self, count: int) -> None:
        """Rows with several hostile values, of which one number at most is huge."""
        for _ in range(count):
            changed: dict[str, Any] = {}
            huge = False
            for name, values in self._hostile.items():
                if self._random.random() < 2 / len(self._hostile):
                    value = values[int(self._random.integers(len(values)))]
                    is_huge = isinstance(value, float) and abs(value) > _HUGE
                    if not (huge and is_huge):
                        changed[name], huge = value, huge or is_huge
            self._add("mixed", self._any(), changed)

    def missing(self) -> None:
        """Nothing but NULLs, and nothing but NaN where there can be."""
        for number in (None, np.nan):
            self._add("missing", 0, {f.name: number if f.kind == "number" else None for f in self._features})

    def doubles(self) -> Hostile:
        """All of them."""
        picked = self._base.iloc[self._picked]
        columns = {feature.name: picked[feature.name].to_numpy(copy=True) for feature in self._features}
        absent = {name: pd.isna(values) for name, values in columns.items()}
        for row, changed in enumerate(self._changes):
            for name, value in changed.items():
                columns[name][row], absent[name][row] = value, value is None
        types = {f.name: pa.float64() if f.kind == "number" else pa.string() for f in self._features}
        arrays = {
            name: pa.array(values, types[name], mask=absent[name], from_pandas=False)
            for name, values in columns.items()
        }
        return Hostile(pa.table(arrays), np.array(self._kinds, dtype=object))

    def integers(self) -> Iterator[Hostile]:
        """Whole numbers that no double is, in each number in turn, the others rounded."""
        numbers = [feature.name for feature in self._features if feature.kind == "number"]
        if not numbers:
            return
        count = len(numbers) * len(INTEGERS)
        picked = self._random.integers(len(self._base), size=count)
        columns = {}
        for feature in self._features:
            values = self._base[feature.name].to_numpy()[picked]
            if feature.kind == "category":
                columns[feature.name] = pa.array(values, pa.string(), mask=pd.isna(values))
                continue
            whole = [
                int(value) if abs(value) < 2**53 else None for value in np.nan_to_num(values, nan=np.inf)
            ]
            start = numbers.index(feature.name) * len(INTEGERS)
            whole[start : start + len(INTEGERS)] = INTEGERS
            columns[feature.name] = pa.array(whole, pa.int64())
        yield Hostile(pa.table(columns), np.full(count, "integer", dtype=object))

    def _arriving(
        self, paths: list[Path], names: list[str], scores: Scores, *, narrow: bool
    ) -> Iterator[tuple[Path, int, dict[str, Any]]]:
        """For each path a real row and the numbers that make it come there, if possible one whose answer changes."""
        if not paths:
            return
        picked = self._random.integers(len(self._base), size=(_TRIED, len(paths)))
        frame = self._base.iloc[picked.ravel()].reset_index(drop=True)
        columns = {name: frame[name].to_numpy(np.float64, copy=True).reshape(picked.shape) for name in names}
        for i, path in enumerate(paths):
            for column, bounds in path.bounds.items():
                if column < len(names):
                    columns[names[column]][:, i] = _within(
                        columns[names[column]][:, i], *bounds, narrow=narrow
                    )
        sides = np.array([_sides(path.threshold, narrow=narrow) for path in paths])
        answers = []
        for side in sides.T:
            crossed = {name: values.copy() for name, values in columns.items()}
            for i, path in enumerate(paths):
                crossed[names[path.column]][:, i] = side[i]
            answers.append(scores(frame.assign(**{name: v.ravel() for name, v in crossed.items()})))
        differ = (answers[0] != answers[1]).reshape(picked.size, -1).any(axis=1)
        change = differ.reshape(picked.shape).argmax(axis=0)
        for i, path in enumerate(paths):
            bounded = (names[column] for column in path.bounds if column < len(names))
            changed = {name: float(columns[name][change[i], i]) for name in bounded}
            yield path, int(picked[change[i], i]), changed

    def _add(self, kind: str, row: int, changed: dict[str, Any]) -> None:
        self._picked.append(row)
        self._changes.append(changed)
        self._kinds.append(kind)

    def _any(self) -> int:
        return int(self._random.integers(len(self._base)))


def _within(values: Floats, low: float, high: float, *, narrow: bool) -> Floats:
    """The values, those that are not between two bounds put there."""
    inside = (values > low) & (values < high)
    if np.isinf(low) or np.isinf(high):
        between = _sides(low, narrow=narrow)[1] if np.isinf(high) else _sides(high, narrow=narrow)[0]
    else:
        between = low / 2 + high / 2
    found: Floats = np.where(inside, values, between)
    return found


def _sides(value: float, *, narrow: bool) -> tuple[float, float]:
    """The numbers nearest to a threshold on either side, of those that are told apart."""
    if not narrow:
        return math.nextafter(value, -math.inf), math.nextafter(value, math.inf)
    single = np.float32(value)
    with np.errstate(over="ignore"):
        below, above = (np.nextafter(single, np.float32(side)) for side in (-np.inf, np.inf))
    return float(below), float(above)


# How many values stand around a threshold, at most, by whether it is narrow.
_BESIDE: Final = {False: 3, True: 12}


def _around(value: float, *, narrow: bool) -> list[float]:
    """A threshold and the doubles beside it; of float32 also the neighbours, and where rounding to them turns."""
    values = [value, *_sides(value, narrow=False)]
    if narrow:
        single = float(np.float32(value))
        values.append(single)
        for side in _sides(value, narrow=True):
            turn = (single + side) / 2
            values += [side, turn, *_sides(turn, narrow=False)]
    return sorted(set(values))


def _evenly(values: list[Any], count: int) -> list[Any]:
    """As many of the values, from the first to the last."""
    if len(values) <= count:
        return values
    return [values[i] for i in np.linspace(0, len(values) - 1, count).astype(int)]


def _turn(values: tuple[Any, ...], place: int, features: int) -> tuple[Any, ...]:
    """The values that are one feature's turn, of so many features."""
    count = min(len(values), max(1, SINGLES // features))
    return tuple(values[(place * count + i) % len(values)] for i in range(count))


def _known(artifact: Artifact) -> dict[str, list[str]]:
    """The categories that the pipeline's own encoders know, by feature."""
    found: dict[str, list[str]] = {}
    for _, step, names in artifact.pipeline[0].transformers_:
        encoder = step[-1] if hasattr(step, "steps") else step
        for name, values in zip(names, getattr(encoder, "categories_", ()), strict=False):
            found[str(name)] = [value for value in values if isinstance(value, str)]
    return found


def _texts(known: list[str], seen: pd.Series) -> list[Any]:
    """Hostile texts: those that fit no model, those that it knows, and the latter in another case or with spaces."""
    ordered = sorted({*known, *(value for value in seen.unique() if isinstance(value, str))})
    ordered = _evenly(ordered, CATEGORIES)
    near = [form for one in ordered[:50] for form in (one.upper(), one.lower(), f" {one}", f"{one} ")]
    return list(dict.fromkeys([*TEXTS, *ordered, *near]))

"""What each feature of a row contributes to a forest's raw score, by the row's paths.

A node has a value: the mean of the leaves below it, by how much of the training came to each. On its way to a leaf a
row changes that value at every test, and the change is credited to the feature that is tested (Saabas 2014,
"Interpreting random forests"). So the contributions and the mean value of the roots add up to the score, and a feature
that no path of the row meets has 0. They are not SHAP values: what two features do together is credited to the one
further down.
"""

import json
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from snowml.kernel import blob
from snowml.kernel.forest import Array, Forest, MalformedForest
from snowml.kernel.plain import as_compared, goes_left

MAGIC: Final = b"snowml paths 1\n"
_LENGTH: Final = struct.Struct("<I")
MOST_GROUPS: Final = 65_536
# Links whose answers are a raw score, or of one.
_ONE_OF_TWO: Final = ("logit", "xgboost_logit")


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """A forest with the values of its nodes.

    Attributes:
        forest: The forest.
        value: (N,) float64, what each node answers of the raw score.
        group: (F,) int32, whom a feature's tests are credited to.
        groups: How many of those there are.
        base: What the raw score is where no path contributes: the mean of the training.
    """

    forest: Forest
    value: Array
    group: Array
    groups: int
    base: float

    def __post_init__(self) -> None:
        nodes = len(self.forest.feature)
        if len(self.value) != nodes or len(self.group) != self.forest.features:
            raise MalformedForest("The paths are not those of their forest.")
        if not 1 <= self.groups <= MOST_GROUPS or np.any((self.group < 0) | (self.group >= self.groups)):
            raise MalformedForest("The paths credit a feature that there is not.")
        if not (np.isfinite(self.value).all() and np.isfinite(self.base)):
            raise MalformedForest("A value of the paths is not a number.")

    def contributions(self, matrix: Array) -> Array:
        """(rows, groups + 1) of a matrix (features, rows) of doubles: each group's, and the base last."""
        out = np.zeros((matrix.shape[1], self.groups + 1))
        out[:, -1] = self.base
        numbers = as_compared(self.forest, matrix)
        try:
            from snowml.kernel.loops import follow
        except ImportError:
            self.follow(numbers, out)
        else:
            follow(np.array(numbers.T, order="C"), self._arrays(), out)
        return out

    def _arrays(self) -> tuple[Array | int | bool, ...]:
        forest = self.forest
        rounding = ("exact", "truncate", "floor").index(forest.rounding)
        # Copies: what is read only would be compiled for anew.
        parts = (forest.roots, forest.feature, forest.threshold, forest.left, forest.right, forest.flags)
        more = (forest.sets, forest.categories, forest.known, forest.known_starts, forest.words)
        arrays = tuple(np.array(part) for part in (*parts, *more, self.value, self.group))
        return (*arrays, forest.strict, rounding)

    def follow(self, numbers: Array, out: Array) -> None:
        """What `loops.follow` does, in NumPy, to the bit."""
        forest = self.forest
        for root in forest.roots[:-1].tolist():
            node = np.full(len(out), root, dtype=np.int64)
            rows = np.arange(len(node)) if forest.feature[root] >= 0 else np.arange(0)
            while len(rows):
                at = node[rows]
                feature = forest.feature[at]
                left = goes_left(forest, at, numbers[feature, rows])
                child = np.where(left, forest.left[at], forest.right[at])
                out[rows, self.group[feature]] += self.value[child] - self.value[at]
                node[rows] = child
                rows = rows[forest.feature[child] >= 0]


def paths_of(forest: Forest, group: Array, groups: int) -> Paths:
    """The paths of one answer of a forest, the one that it picks, in terms of the raw score.

    That is the sum of the leaves: of one probability out of two the log-odds, of a mean of trees the mean.

    Raises:
        ValueError: It does not know how much of the training came to its nodes.
    """
    if forest.cover is None:
        raise ValueError("The forest does not know the covers of its nodes.")
    column, scale = (0 if forest.link in _ONE_OF_TWO else forest.pick), 1.0
    if forest.link in _ONE_OF_TWO:
        scale = forest.factor if forest.pick == 1 else -forest.factor
    elif forest.link == "divide":
        scale = 1.0 / forest.factor
    value = np.zeros(len(forest.feature))
    value[forest.feature < 0] = forest.values[:, column].astype(np.float64) * scale
    for node in _from_the_leaves(forest):
        left, right = forest.left[node], forest.right[node]
        both = forest.cover[left] + forest.cover[right]
        # Where nothing of the training came to, either way is as good.
        share = np.where(both > 0, forest.cover[left] / np.where(both > 0, both, 1.0), 0.5)
        value[node] = share * value[left] + (1.0 - share) * value[right]
    base = float(forest.base[column]) * scale + float(value[forest.roots[:-1]].sum())
    return Paths(forest, value, np.asarray(group, np.int32), groups, base)


def _from_the_leaves(forest: Forest) -> list[Array]:
    """The inner nodes of all trees, level by level, the deepest first."""
    levels = [forest.roots[:-1][forest.feature[forest.roots[:-1]] >= 0]]
    while len(levels[-1]):
        children = np.concatenate([forest.left[levels[-1]], forest.right[levels[-1]]])
        levels.append(children[forest.feature[children] >= 0])
    return levels[::-1]


def dumps(paths: Paths) -> bytes:
    """Its bytes: a line, the length of a JSON header, the header, the arrays, the forest's own bytes."""
    header = json.dumps({"base": paths.base, "groups": paths.groups}, sort_keys=True).encode()
    text = MAGIC + _LENGTH.pack(len(header)) + header
    arrays = (paths.value.astype("<f8"), paths.group.astype("<i4"))
    sizes = struct.pack("<QQ", *map(len, arrays))
    return b"".join([text, sizes, *(array.tobytes() for array in arrays), blob.dumps(paths.forest)])


def loads(data: bytes) -> Paths:
    """The paths of `dumps`, checked whole.

    Raises:
        MalformedForest: The bytes are not such.
    """
    wrong_bytes = "These bytes are not the paths of a forest: train the version again."
    if not data.startswith(MAGIC):
        raise MalformedForest(wrong_bytes)
    try:
        at = len(MAGIC) + _LENGTH.size
        end = at + _LENGTH.unpack_from(data, len(MAGIC))[0]
        header = json.loads(data[at:end])
        nodes, features = struct.unpack_from("<QQ", data, end)
        value = np.frombuffer(data, "<f8", nodes, end + 16)
        group = np.frombuffer(data, "<i4", features, end + 16 + 8 * nodes)
        base, groups = header["base"], header["groups"]
    except (ValueError, OverflowError, KeyError, TypeError, struct.error, RecursionError) as wrong:
        raise MalformedForest(wrong_bytes) from wrong
    if type(base) is not float or type(groups) is not int:
        raise MalformedForest(wrong_bytes)
    forest = blob.loads(data[end + 16 + 8 * nodes + 4 * features :])
    return Paths(forest, value.astype(np.float64), group.astype(np.int32), groups, base)

"""Small trees as nested CASEs, with each threshold carried back to the parameter it is a test of.

scikit-learn's trees compare numbers rounded to float32, HistGradientBoosting's the doubles themselves. Trees are added
from the first to the last as scikit-learn adds them, so that the sums are the same to the bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlglot import exp

from snowml.names import Dialect
from snowml.serving.sql.columns import Choice, Numeric, Split
from snowml.serving.sql.expressions import Unsupported, case, chain, divide, double, either, multiply

# Deeper ones do not get through the recursion of SQL parsers and printers.
DEEPEST: Final = 60


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree as arrays, of any library.

    Attributes:
        left: The left child of each node, -1 for a leaf.
        right: The right child.
        value: What a leaf answers.
        split: The test of a node; see `Split`.
    """

    left: Sequence[int]
    right: Sequence[int]
    value: Sequence[float]
    split: Callable[[int], Split]

    def sql(self, node: int = 0, depth: int = 0) -> exp.Expression:
        """Nested CASEs; a test on which all rows agree is left out."""
        if depth > DEEPEST:
            raise Unsupported(f"a tree is deeper than {DEEPEST}")
        if self.left[node] < 0:
            return double(self.value[node])
        split = self.split(node)
        near, far = self.left[node], self.right[node]
        if not split.left:
            near, far = far, near
        first = self.sql(near, depth + 1)
        if split.condition is None:
            return first
        second = self.sql(far, depth + 1)
        return case([(split.condition, first)], second)


def accepted(columns: Sequence[Numeric], scored: exp.Expression, dialect: Dialect) -> exp.Expression:
    """The score, NULL where any column refuses the row, whether a tree looks at it or not."""
    tests = [test for column in columns if (test := column.refused(dialect)) is not None]
    return case([(either(tests), exp.Null())], scored) if tests else scored


def plain(model: Any, columns: Sequence[Numeric], value: Any, dialect: Dialect) -> Tree:
    """A tree of scikit-learn's `tree` module, whose leaves answer `value`, by node."""
    tree = model.tree_
    missing_left = np.asarray(tree.missing_go_to_left, dtype=bool)

    def split(node: int) -> Split:
        column, threshold = columns[tree.feature[node]], float(tree.threshold[node])
        found: Split = column.split(
            threshold, missing_left=bool(missing_left[node]), narrow=True, dialect=dialect
        )
        return found

    return Tree(tree.children_left.tolist(), tree.children_right.tolist(), np.ravel(value).tolist(), split)


def binned(predictor: Any, known: Any, positions: Any, columns: Sequence[Numeric], dialect: Dialect) -> Tree:
    """A tree of HistGradientBoosting; `known` are the bitsets of known categories, at `positions` by feature."""
    nodes, bitsets = predictor.nodes, predictor.raw_left_cat_bitsets

    def split(node: int) -> Split:
        row = nodes[node]
        feature, missing_left = int(row["feature_idx"]), bool(row["missing_go_to_left"])
        if not row["is_categorical"]:
            threshold = float(row["num_threshold"])
            return columns[feature].split(threshold, missing_left=missing_left, narrow=False, dialect=dialect)
        goes_left, is_known = bitsets[row["bitset_idx"]], known[positions[feature]]

        def holds(code: float | None) -> bool:
            if code is None or not 0 <= code < 256:
                return missing_left
            return _in(goes_left, code) or (missing_left and not _in(is_known, code))

        column = columns[feature]
        found = column.test(holds, dialect) if isinstance(column, Choice) else None
        if found is None:
            raise Unsupported("a native category that is no encoded text is not written as SQL")
        return found

    leaf = nodes["is_leaf"] != 0
    left = np.where(leaf, -1, nodes["left"].astype(np.int64)).tolist()
    return Tree(left, nodes["right"].astype(np.int64).tolist(), nodes["value"].tolist(), split)


def mean(trees: Sequence[Tree]) -> exp.Expression:
    """The mean of the trees' answers, as a forest takes it."""
    total = chain([double(0.0), *(tree.sql() for tree in trees)])
    return divide(exp.Paren(this=total), double(float(len(trees))))


def boosted(start: float, trees: Sequence[Tree], rate: float | None) -> exp.Expression:
    """The sum of the trees' answers, each times `rate` where one is given."""
    answers = [tree.sql() for tree in trees]
    return chain([double(start), *(answers if rate is None else [_scaled(rate, a) for a in answers])])


def _scaled(rate: float, tree: exp.Expression) -> exp.Expression:
    return multiply(double(rate), tree)


def _in(bitset: Any, code: float) -> bool:
    word, bit = divmod(int(code), 32)
    return bool((int(bitset[word]) >> bit) & 1)

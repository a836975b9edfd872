"""Forests for tests: made at random rather than trained, and the rows at their edges."""

import numpy as np

from snowml.kernel.forest import MISSING_LEFT, UNKNOWN_LEFT
from snowml.serving.forest.builder import Tree, build

SPECIAL = (
    *(np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-310, 1e-45, -1e-45),
    *(1e-35, -1e-35, 1.0000000180025095e-35, 1.1e-35, 1e38, 1e300, -1e300, 1.7976931348623157e308),
    *(3.4028234663852886e38, 3.4028235677973362e38, 3.4028235677973366e38, 1e39, -1e39, 2.0**53 + 1),
)
CATEGORIES = (
    -1.0,
    -0.5,
    -0.0,
    0.5,
    2.7,
    39.5,
    40.0,
    254.0,
    255.0,
    256.0,
    1e9,
    3e9,
    -3e9,
    2.0**31,
    1e18,
    np.nan,
)


def random_tree(rng, features, leaves, grid, categories, *, width=1, output=0):
    """A tree grown by splitting a leaf at random; `grid` are the thresholds to choose from."""
    feature, left, right, threshold, sets = [-1], [0], [0], [0.0], {}
    open_leaves = [0]
    for _ in range(leaves - 1):
        node = open_leaves.pop(rng.integers(len(open_leaves)))
        feature[node] = int(rng.integers(features))
        threshold[node] = float(rng.choice(grid))
        left[node], right[node] = len(feature), len(feature) + 1
        for _child in range(2):
            open_leaves.append(len(feature))
            feature.append(-1), left.append(0), right.append(0), threshold.append(0.0)
        if feature[node] in categories:
            known = categories[feature[node]]
            sets[node] = known[rng.random(len(known)) < 0.5]
    nodes = len(feature)
    return Tree(
        feature=np.array(feature),
        threshold=np.array(threshold),
        left=np.array(left),
        right=np.array(right),
        flags=rng.integers(0, (MISSING_LEFT | UNKNOWN_LEFT) + 1, nodes),
        value=rng.normal(size=(nodes, width)),
        left_categories=sets,
        output=output,
    )


def random_forest(seed, *, trees=5, leaves=20, features=4, category_sizes=(), outputs=1, **options):
    """A forest of random trees, the last features being categories of the given sizes."""
    rng = np.random.default_rng(seed)
    first = features - len(category_sizes)
    categories = {}
    for i, size in enumerate(category_sizes):
        known = np.flatnonzero(rng.random(size) < 0.9)
        categories[first + i] = known if len(known) else np.array([0])
    grid = np.concatenate([rng.normal(size=options.pop("thresholds", 50)), SPECIAL])
    grid = grid[~np.isnan(grid)]
    if options.get("single"):
        with np.errstate(over="ignore"):
            grid = grid.astype(np.float32).astype(np.float64)
    wide = options.pop("wide", False)
    sums = options.pop("sums", np.float64)
    grown = [
        random_tree(
            rng, features, int(rng.integers(1, leaves + 1)), grid, categories,
            width=outputs if wide else 1, output=0 if wide else t % outputs,
        )
        for t in range(trees)
    ]  # fmt: skip
    base = rng.normal(size=outputs).astype(sums)
    return build(grown, features=features, base=base, known=categories, link="identity", **options)


def edges(forest, rows, seed=0, most=60):
    """Rows, (rows, features), with each feature in turn at what may go wrong: its thresholds and their neighbours."""
    rng = np.random.default_rng(seed)
    found = [rows]
    for feature in range(forest.features):
        if forest.categories[feature]:
            odd = np.concatenate([np.arange(min(forest.categories[feature] + 2, 60.0)), CATEGORIES])
        else:
            own = np.unique(forest.threshold[forest.feature == feature])
            own = rng.permutation(own)[:most]
            with np.errstate(over="ignore"):
                small = own.astype(np.float32)
                near = [own, *(np.nextafter(own, to) for to in (np.inf, -np.inf)), small]
                near += [np.nextafter(small, np.float32(to)) for to in (np.inf, -np.inf)]
            odd = np.concatenate([*near, SPECIAL])
        changed = rows[rng.integers(len(rows), size=len(odd))].copy()
        changed[:, feature] = odd
        found.append(changed)
    missing = np.full((1, forest.features), np.nan)
    return np.concatenate([*found, missing])


def random_rows(forest, rows, seed):
    """Rows, (rows, features), one number in ten missing, categories known, unknown and none at all."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(rows, forest.features))
    for feature in np.flatnonzero(forest.categories):
        found[:, feature] = rng.integers(-1, forest.categories[feature] + 2, rows)
    found[rng.random(found.shape) < 0.1] = np.nan
    return found


def columns(rows):
    """The matrix, (features, rows), that the kernel takes."""
    return np.ascontiguousarray(rows.T)

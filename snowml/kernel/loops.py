"""Everything that numba compiles.

It is one file because numba's cache is renewed when the file of the outermost function changes, and not when another
one does. Nothing here checks a bound: `masks` and `walk` give it arrays that were made out of a checked forest.

Rows are scored in blocks of `BLOCK`, small enough for their codes to stay in the nearest cache, with one code a row as
one lane of a vector. A block's loops over its rows are plain ones that the compiler vectorises by itself, but for two:
the running mask of a plane must stay in registers over all of a tree's tests, and the lowest set bit is a population
count, which the compiler would not find. Those are written as LLVM vectors of the whole block, which it splits into
what the processor has: AVX-512, AVX2, NEON.
"""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, extending

from snowml.kernel.jit import compiled

BLOCK: Final = 256
# Cells of the grid by which a number's place among the thresholds is guessed.
GRID: Final = 1024
# Rows whose walks are interleaved, so that one waits for memory while others compute.
TEAM: Final = 16

# numba is typed in part only.
_intrinsic: Any = extending.intrinsic
_declared: Any = cgutils.get_or_insert_function

u8, u16, u32, u64, f32, f64 = np.uint8, np.uint16, np.uint32, np.uint64, np.float32, np.float64

_BYTES = ir.VectorType(ir.IntType(8), BLOCK)
_INT64, _INT32 = ir.IntType(64), ir.IntType(32)
_ONES = ir.Constant(_BYTES, [255] * BLOCK)
_ZEROS = ir.Constant(_BYTES, [0] * BLOCK)


def _splat(builder: Any, byte: Any) -> Any:
    empty = ir.Constant(_BYTES, ir.Undefined)
    first = builder.insert_element(empty, byte, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(_INT32, BLOCK), [0] * BLOCK))


def _data(context: Any, builder: Any, signature: Any, args: Any, *which: int) -> list[Any]:
    arrays = [context.make_array(signature.args[i])(context, builder, args[i]) for i in which]
    return [array.data for array in arrays]


def _block_of(builder: Any, data: Any, row: Any) -> Any:
    """Where a row of a matrix that is `BLOCK` bytes wide begins, as a vector."""
    return builder.bitcast(
        builder.gep(data, [builder.mul(row, ir.Constant(_INT64, BLOCK))]), _BYTES.as_pointer()
    )


def _folded(builder: Any, first: Any, last: Any, start: Any, step: Callable[[Any, Any], Any]) -> Any:
    """`accumulated = step(accumulated, i)` over a range, in registers."""
    entry = builder.block
    head, body, end = (builder.append_basic_block(name) for name in ("head", "body", "end"))
    builder.branch(head)
    builder.position_at_end(head)
    index, accumulated = builder.phi(_INT64), builder.phi(_BYTES)
    index.add_incoming(first, entry)
    accumulated.add_incoming(start, entry)
    builder.cbranch(builder.icmp_signed("<", index, last), body, end)
    builder.position_at_end(body)
    stepped = step(accumulated, index)
    index.add_incoming(builder.add(index, ir.Constant(_INT64, 1)), builder.block)
    accumulated.add_incoming(stepped, builder.block)
    builder.branch(head)
    builder.position_at_end(end)
    return accumulated


@_intrinsic
def reachable(
    typing: Any, lanes: Any, lane: Any, cut: Any, mask: Any, first: Any, last: Any, out: Any
) -> Any:
    """`out &= (lanes[lane[i]] > cut[i] ? mask[i] : all)` over the tests of a plane, for each row of the block."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        codes, which, cuts, masks, target = _data(context, builder, signature, args, 0, 1, 2, 3, 6)

        def step(accumulated: Any, i: Any) -> Any:
            row = builder.zext(builder.load(builder.gep(which, [i])), _INT64)
            code = builder.load(_block_of(builder, codes, row), align=1)
            fails = builder.icmp_unsigned(">", code, _splat(builder, builder.load(builder.gep(cuts, [i]))))
            left = builder.select(fails, _splat(builder, builder.load(builder.gep(masks, [i]))), _ONES)
            return builder.and_(accumulated, left)

        place = builder.bitcast(target, _BYTES.as_pointer())
        builder.store(_folded(builder, args[4], args[5], builder.load(place, align=1), step), place, align=1)
        return context.get_dummy_value()

    return types.void(lanes, lane, cut, mask, types.int64, types.int64, out), generate


@_intrinsic
def exits(typing: Any, plane: Any, leaf: Any, first: Any) -> Any:
    """`leaf = plane ? first + lowest set bit : leaf`; the bits below the lowest are those of `(x - 1) & ~x`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointers = _data(context, builder, signature, args, 0, 1)
        masks, leaves = (builder.bitcast(pointer, _BYTES.as_pointer()) for pointer in pointers)
        mask = builder.load(masks, align=1)
        count = _declared(builder.module, ir.FunctionType(_BYTES, [_BYTES]), f"llvm.ctpop.v{BLOCK}i8")
        one = ir.Constant(_BYTES, [1] * BLOCK)
        below = builder.and_(builder.sub(mask, one), builder.xor(mask, _ONES))
        here = builder.add(builder.call(count, [below]), _splat(builder, args[2]))
        some = builder.icmp_unsigned("!=", mask, _ZEROS)
        builder.store(builder.select(some, here, builder.load(leaves, align=1)), leaves, align=1)
        return context.get_dummy_value()

    return types.void(plane, leaf, types.uint8), generate


@compiled
def compare_as(source: Any, rows: Any, single: Any, zero: Any, x: Any) -> None:
    """A block of a column as the library compares it; rows beyond the last are 0."""
    for i in range(rows):
        x[i] = f64(f32(source[i])) if single else source[i]
    for i in range(rows, BLOCK):
        x[i] = 0.0
    if zero >= 0.0:
        for i in range(BLOCK):
            x[i] = 0.0 if abs(x[i]) <= zero else x[i]


@compiled
def place(x: Any, cuts: Any, low: Any, scale: Any, grid: Any, steps: Any, strict: Any, k: Any) -> None:
    """How many thresholds each number is beyond; none for NaN.

    `cuts` are ascending, with one NaN behind, which nothing is beyond. The grid says how many lie in the cells before
    a number's own, of which there are at most `steps` more: to guess and to correct costs less than to search.
    """
    for i in range(BLOCK):
        # Each step is monotone, so a number's cell is never after that of a larger threshold. NaN is in the first.
        y = (x[i] - low) * scale
        y = y if y > 0.0 else 0.0
        y = y if y < GRID - 1.0 else GRID - 1.0
        k[i] = u32(np.int32(y))
    for i in range(BLOCK):
        k[i] = grid[u64(k[i])]
    if steps <= 3:
        for _ in range(steps):
            for i in range(BLOCK):
                cut = cuts[u64(k[i])]
                k[i] += u32(cut <= x[i]) if strict else u32(cut < x[i])
        return
    half = 1
    while half * 2 <= steps:
        half *= 2
    last = u64(len(cuts) - 1)
    while half >= 1:
        for i in range(BLOCK):
            cut = cuts[min(u64(k[i]) + u64(half - 1), last)]
            beyond = (cut <= x[i]) if strict else (cut < x[i])
            k[i] += u32(half) if beyond else u32(0)
        half >>= 1


@compiled
def class_of(x: Any, rounding: Any, table: Any, unknown: Any, missing: Any, lane: Any) -> None:
    """Codes of a category: the class that its integer has in the table."""
    size = len(table)
    for i in range(BLOCK):
        value = x[i]
        if rounding == 1:
            value = math.trunc(value) if abs(value) < 1e9 else value
        elif rounding == 2:
            value = math.floor(value) if abs(value) < 1e9 else value
        if value >= 0.0 and value < size and value == f64(np.int64(value)):
            lane[i] = table[np.int64(value)]
        else:
            lane[i] = missing if x[i] != x[i] else unknown


@compiled
def encode(columns: Any, begin: Any, rows: Any, plan: Any, scratch: Any, lanes: Any) -> None:
    """All lanes of a block of rows."""
    x, k, code, missing = scratch
    for u in range(len(plan.feature)):
        column = columns[plan.feature[u], begin : begin + rows]
        compare_as(column, rows, plan.single, plan.zero, x)
        first, last = plan.lane_start[u], plan.lane_start[u + 1]
        if plan.is_category[u]:
            table = plan.table[plan.table_start[u] : plan.table_start[u + 1]]
            class_of(x, plan.rounding, table, plan.unknown[u], plan.missing[u], lanes[first])
            continue
        cuts = plan.cuts[plan.cut_start[u] : plan.cut_start[u + 1]]
        place(x, cuts, plan.low[u], plan.scale[u], plan.grid[u], plan.steps[u], plan.strict, k)
        for i in range(BLOCK):
            missing[i] = plan.most if x[i] != x[i] else 0
        for j in range(first, last):
            if j == first or plan.window[j] != plan.window[j - 1]:
                low, high = u32(plan.window[j]), u32(plan.window[j] + plan.most - 1)
                for i in range(BLOCK):
                    code[i] = min(max(k[i], low), high) - low
            # A missing number's place is 0, so that to set all bits is to put it beyond.
            beyond, flip, lane = plan.missing_beyond[j], plan.upside_down[j], lanes[j]
            for i in range(BLOCK):
                lane[i] = (code[i] | (missing[i] & beyond)) ^ flip


@compiled
def keep(sums: Any, rows: Any, out: Any) -> None:
    """A block's sums, without the rows beyond the last."""
    for o in range(len(sums)):
        for i in range(rows):
            out[o, i] = sums[o, i]


@compiled
def look_up(trees: Any, t: Any, lanes: Any, allowed: Any) -> None:
    """The leaves of a tree that a row's categories leave, one look at a table for each feature.

    A set of categories is no comparison, and a tree may have many: all of a feature's are made at once.
    """
    for i in range(BLOCK):
        allowed[i] = u64(0xFFFFFFFFFFFFFFFF)
    for j in range(trees.look_start[t], trees.look_start[t + 1]):
        lane, table = lanes[trees.look_lane[j]], trees.table[trees.table_start[j] : trees.table_start[j + 1]]
        for i in range(BLOCK):
            allowed[i] &= table[lane[i]]


@compiled
def begin_plane(allowed: Any, by_category: Any, shift: Any, plane: Any) -> None:
    """The eight leaves of a plane before its tests: all of them, or what the categories leave."""
    if by_category:
        for i in range(BLOCK):
            plane[i] = u8(allowed[i] >> shift)
    else:
        for i in range(BLOCK):
            plane[i] = u8(255)


@compiled
def by_masks(columns: Any, plan: Any, trees: Any, values: Any, base: Any, out: Any) -> None:
    """Raw scores by masks of the leaves that are still reachable, eight leaves (a plane) at a time.

    Every test of a tree is made for every row, and one that fails clears the leaves of the subtree that is not entered.
    The lowest bit left is the leaf. Planes are visited from the last to the first, so that the lowest wins.
    """
    rows, width = columns.shape[1], len(values)
    lanes = np.empty((trees.lane_count, BLOCK), u8)
    allowed = np.empty(BLOCK, u64)
    scratch = (np.empty(BLOCK), np.empty(BLOCK, u32), np.empty(BLOCK, u8), np.empty(BLOCK, u8))
    plane, leaf = np.empty(BLOCK, u8), np.empty(BLOCK, u8)
    sums = np.empty((len(base), BLOCK), values.dtype)
    for begin in range(0, rows, BLOCK):
        size = min(BLOCK, rows - begin)
        encode(columns, begin, size, plan, scratch, lanes)
        for o in range(len(base)):
            for i in range(BLOCK):
                sums[o, i] = base[o]
        for t in range(len(trees.output)):
            by_category = trees.look_start[t] < trees.look_start[t + 1]
            if by_category:
                look_up(trees, t, lanes, allowed)
            for p in range(trees.tree_start[t + 1] - 1, trees.tree_start[t] - 1, -1):
                shift = u64((p - trees.tree_start[t]) * 8)
                begin_plane(allowed, by_category, shift, plane)
                reachable(
                    lanes,
                    trees.lane,
                    trees.cut,
                    trees.mask,
                    trees.plane_start[p],
                    trees.plane_start[p + 1],
                    plane,
                )
                exits(plane, leaf, u8((p - trees.tree_start[t]) * 8))
            for w in range(width):
                own, added = (
                    values[w, trees.leaf_start[t] : trees.leaf_start[t + 1]],
                    sums[trees.output[t] + w],
                )
                for i in range(BLOCK):
                    added[i] += own[leaf[i]]
        keep(sums, size, out[:, begin : begin + size])


@compiled
def descend(trees: Any, lanes: Any, first: Any, at: Any) -> None:
    """A team of rows from where they are to their leaves, all of them one step at a time."""
    node, set_at, words = trees.node, trees.set_at, trees.words
    by_sets, moved = len(words) > 0, True
    while moved:
        moved = False
        for r in range(TEAM):
            test = node[at[r]]
            code = np.int64(lanes[np.int64(test & u64(0xFFFF)), first + r])
            right = code > np.int64((test >> u64(16)) & u64(0xFFFF))
            if by_sets and set_at[at[r]] >= 0:
                word = words[set_at[at[r]] + (code >> 5)]
                right = ((word >> u32(code & 31)) & u32(1)) != 0
            after = np.int64(test >> u64(32)) + np.int64(right)
            moved |= after != at[r]
            at[r] = after


@compiled
def by_walk(columns: Any, plan: Any, trees: Any, values: Any, base: Any, out: Any) -> None:
    """Raw scores by walking each tree with a team of rows at a time.

    A node is one number: its lane, its cut and its left child; the right one is next to it, so that a test is an
    addition. A leaf's test always says left, and its left child is itself: a team stops when none of it moves.
    """
    rows, width = columns.shape[1], len(values)
    lanes = np.empty((trees.lane_count + 1, BLOCK), u16)
    scratch = (np.empty(BLOCK), np.empty(BLOCK, u32), np.empty(BLOCK, u16), np.empty(BLOCK, u16))
    at = np.empty(TEAM, np.int64)
    sums = np.empty((len(base), BLOCK), values.dtype)
    for begin in range(0, rows, BLOCK):
        size = min(BLOCK, rows - begin)
        encode(columns, begin, size, plan, scratch, lanes)
        for o in range(len(base)):
            for i in range(BLOCK):
                sums[o, i] = base[o]
        for t in range(len(trees.output)):
            for first in range(0, size, TEAM):
                for r in range(TEAM):
                    at[r] = trees.root[t]
                descend(trees, lanes, first, at)
                for w in range(width):
                    for r in range(TEAM):
                        sums[trees.output[t] + w, first + r] += values[w, trees.leaf_of[at[r]]]
        keep(sums, size, out[:, begin : begin + size])


@compiled
def leaf_ranges(
    left: Any, right: Any, feature: Any, roots: Any, begin: Any, count: Any, swapped: Any
) -> None:
    """For each node the first of its leaves within its tree, and how many it has, the smaller subtree first.

    A failed test clears the first subtree: with the smaller one first, it is fewer planes.
    """
    for i in range(len(feature) - 1, -1, -1):
        count[i] = 1 if feature[i] < 0 else count[left[i]] + count[right[i]]
        swapped[i] = feature[i] >= 0 and count[right[i]] < count[left[i]]
    for t in range(len(roots) - 1):
        begin[roots[t]] = 0
        for i in range(roots[t], roots[t + 1]):
            if feature[i] >= 0:
                one, other = (right[i], left[i]) if swapped[i] else (left[i], right[i])
                begin[one] = begin[i]
                begin[other] = begin[i] + count[one]


@compiled
def exp(values: Any) -> None:
    """Replace each by its exponential, the C library's for its type."""
    flat = values.reshape(-1)
    for i in range(len(flat)):
        flat[i] = math.exp(flat[i])

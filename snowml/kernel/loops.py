"""Everything that numba compiles.

It is one file because numba's cache is renewed when the file of the outermost function changes, and not when another
one does. Nothing here checks a bound: `masks` and `walk` give it arrays that were made out of a checked forest.

Rows are scored in blocks of `BLOCK`, small enough for their codes to stay in the nearest cache, with one code a row as
one lane of a vector. A block's loops over its rows are plain ones that the compiler vectorises by itself, but for two:
the running mask of a plane must stay in registers over all of a tree's tests, and the lowest set bit is a population
count, which the compiler would not find. Those are written as LLVM vectors of 2,048 bits, which it splits into what the
processor has: AVX-512, AVX2, NEON.
"""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, extending
from numba.np.numpy_support import carray as _array_at

from snowml.kernel.jit import compiled, inlined

BLOCK: Final = 256
# Blocks that a tree of any size is walked with before the next one, so that it is fetched once for all of them.
BLOCKS: Final = 8
# Cells of the grid by which a number's place among the thresholds is guessed.
GRID: Final = 1024
# Rows that walk side by side, so that one waits for memory while others compute, and the steps of each turn.
TEAM: Final = 16
TURN: Final = 8
# Of a vector: a plane of masks has 8 leaves of 256 rows, or 16 leaves of 128.
BITS: Final = 8 * BLOCK

# numba is typed in part only.
_intrinsic: Any = extending.intrinsic
_declared: Any = cgutils.get_or_insert_function
_pointer_to: Any = types.CPointer

u8, u16, u32, u64, i64, f32, f64 = (
    *(np.uint8, np.uint16, np.uint32, np.uint64),
    *(np.int64, np.float32, np.float64),
)

_INT64, _INT32 = ir.IntType(64), ir.IntType(32)


class _Lanes:
    """Vectors of codes, as many as a vector has room for."""

    def __init__(self, code: Any) -> None:
        self.bits, self.count = code.bitwidth, BITS // code.bitwidth
        self.type = ir.VectorType(ir.IntType(self.bits), self.count)
        self.ones = self.all((1 << self.bits) - 1)

    def all(self, value: int) -> Any:
        """The same number in each."""
        return ir.Constant(self.type, [value] * self.count)

    def splat(self, builder: Any, value: Any) -> Any:
        """The same value in each."""
        empty = ir.Constant(self.type, ir.Undefined)
        first = builder.insert_element(empty, value, ir.Constant(_INT32, 0))
        places = ir.Constant(ir.VectorType(_INT32, self.count), [0] * self.count)
        return builder.shuffle_vector(first, empty, places)

    def at(self, builder: Any, data: Any, place: Any) -> Any:
        """A pointer to the vector that begins there in an array of codes."""
        return builder.bitcast(builder.gep(data, [place]), self.type.as_pointer())


def _data(context: Any, builder: Any, signature: Any, args: Any, *which: int) -> list[Any]:
    arrays = [context.make_array(signature.args[i])(context, builder, args[i]) for i in which]
    return [array.data for array in arrays]


def _folded(builder: Any, first: Any, last: Any, start: Any, step: Callable[[Any, Any], Any]) -> Any:
    """`accumulated = step(accumulated, i)` over a range, in registers."""
    entry = builder.block
    head, body, end = (builder.append_basic_block(name) for name in ("head", "body", "end"))
    builder.branch(head)
    builder.position_at_end(head)
    index, accumulated = builder.phi(_INT64), builder.phi(start.type)
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
    typing: Any,
    lanes: Any,
    begin: Any,
    lane: Any,
    cut: Any,
    mask: Any,
    first: Any,
    last: Any,
    out: Any,
    some: Any,
) -> Any:
    """`out = (some ? out : all) & (lanes[lane[i], begin:] > cut[i] ? mask[i] : all)`, for a vector of rows.

    The second is over the tests of a plane.
    """
    codes_type = _Lanes(lanes.dtype)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        codes, which, cuts, masks, target = _data(context, builder, signature, args, 0, 2, 3, 4, 7)
        codes = builder.gep(codes, [args[1]])

        def step(accumulated: Any, i: Any) -> Any:
            row = builder.mul(
                builder.zext(builder.load(builder.gep(which, [i])), _INT64), ir.Constant(_INT64, BLOCK)
            )
            code = builder.load(codes_type.at(builder, codes, row), align=1)
            own_cut, own_mask = (builder.load(builder.gep(array, [i])) for array in (cuts, masks))
            fails = builder.icmp_unsigned(">", code, codes_type.splat(builder, own_cut))
            left = builder.select(fails, codes_type.splat(builder, own_mask), codes_type.ones)
            return builder.and_(accumulated, left)

        place = codes_type.at(builder, target, ir.Constant(_INT64, 0))
        start = builder.select(args[8], builder.load(place, align=1), codes_type.ones)
        builder.store(_folded(builder, args[5], args[6], start, step), place, align=1)
        return context.get_dummy_value()

    return types.void(
        lanes, types.int64, lane, cut, mask, types.int64, types.int64, out, types.boolean
    ), generate


@_intrinsic
def exits(typing: Any, plane: Any, leaf: Any, begin: Any, first: Any) -> Any:
    """`leaf[begin:] = plane ? first + lowest set bit : leaf[begin:]`, for a vector of rows.

    The bits below the lowest are those of `(x - 1) & ~x`.
    """
    codes_type = _Lanes(plane.dtype)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        masks, leaves = _data(context, builder, signature, args, 0, 1)
        mask = builder.load(codes_type.at(builder, masks, ir.Constant(_INT64, 0)), align=1)
        place = codes_type.at(builder, leaves, args[2])
        name = f"llvm.ctpop.v{codes_type.count}i{codes_type.bits}"
        count = _declared(builder.module, ir.FunctionType(codes_type.type, [codes_type.type]), name)
        below = builder.and_(builder.sub(mask, codes_type.all(1)), builder.xor(mask, codes_type.ones))
        own = builder.trunc(args[3], ir.IntType(codes_type.bits))
        here = builder.add(builder.call(count, [below]), codes_type.splat(builder, own))
        some = builder.icmp_unsigned("!=", mask, codes_type.all(0))
        builder.store(builder.select(some, here, builder.load(place, align=1)), place, align=1)
        return context.get_dummy_value()

    return types.void(plane, leaf, types.int64, types.int64), generate


@_intrinsic
def _pointer(typing: Any, address: Any, like: Any) -> Any:
    """An address as a pointer to numbers of a type."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return _pointer_to(like.dtype)(address, like), generate


@compiled
def blank(bits: Any, begin: Any, row: Any, absent: Any) -> None:
    """NaN where a bit is 0, which is where a column has NULL; and where that is."""
    rows = len(row)
    valid = _array_at(_pointer(bits, u8), (begin + rows + 7) >> 3)
    for i in range(rows):
        absent[i] = (valid[(begin + i) >> 3] >> u8((begin + i) & 7)) & u8(1) == 0
    for i in range(rows):
        row[i] = np.nan if absent[i] else row[i]


# Places in Arrow's C structs, in words: of an array, and of a schema.
_NULLS, _OFFSET, _BUFFERS, _CHILDREN = 1, 2, 5, 6
_FORMAT, _COUNT, _FIELDS = 0, 4, 5
_WORDS: Final = 7
_DOUBLE: Final = ord("g")
NO_DOUBLES: Final = -1


@compiled
def _words(address: Any, count: Any) -> Any:
    return _array_at(_pointer(address, i64), count)


@compiled
def are_doubles(schema: Any, columns: Any) -> Any:
    """Whether an Arrow schema is a struct of so many columns of doubles."""
    top = _words(schema, _WORDS)
    if top[_COUNT] != columns:
        return False
    fields = _words(top[_FIELDS], columns)
    for f in range(columns):
        letters = _array_at(_pointer(_words(fields[f], _WORDS)[_FORMAT], u8), 2)
        if letters[0] != _DOUBLE or letters[1] != 0:
            return False
    return True


@compiled
def read(place: Any, rule: Any, matrix: Any, refused: Any) -> Any:
    """A struct of columns as Arrow has it, into a matrix, NULL as NaN; which rows are refused, and whether some are.

    `place` is where its array and its schema lie, as Arrow's C interface has them; where it is no struct of doubles the
    answer is `NO_DOUBLES`. One call reads all columns: NumPy would give up the interpreter's lock, and wait for it
    again, at each.
    """
    array, schema = place
    limits, null_refused, nan_refused = rule
    columns, rows = matrix.shape
    if not are_doubles(schema, columns):
        return NO_DOUBLES
    top = _words(array, _WORDS)
    children = _words(top[_CHILDREN], columns)
    absent = np.empty(rows, np.bool_)
    refused[:] = False
    for f in range(columns):
        column, row, limit = _words(children[f], _WORDS), matrix[f], limits[f]
        begin = top[_OFFSET] + column[_OFFSET]
        valid, doubles = _words(column[_BUFFERS], 2)
        row[:] = _array_at(_pointer(doubles + 8 * begin, f64), rows)
        if valid != 0 and column[_NULLS] != 0:
            blank(valid, begin, row, absent)
            if null_refused:
                refused |= absent
        if limit < np.inf or nan_refused:
            for i in range(rows):
                refused[i] |= (abs(row[i]) > limit) | (nan_refused & (row[i] != row[i]))
    for i in range(rows):
        if refused[i]:
            return 1
    return 0


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
def look_up(tests: Any, t: Any, lanes: Any, allowed: Any) -> None:
    """The leaves of a tree that a row's categories leave, one look at a table for each feature.

    A set of categories is no comparison, and a tree may have many: all of a feature's are made at once.
    """
    for i in range(BLOCK):
        allowed[i] = u64(0xFFFFFFFFFFFFFFFF)
    for j in range(tests.look_start[t], tests.look_start[t + 1]):
        lane, table = lanes[tests.look_lane[j]], tests.table[tests.table_start[j] : tests.table_start[j + 1]]
        for i in range(BLOCK):
            allowed[i] &= table[lane[i]]


@inlined
def leaves_of(tests: Any, t: Any, lanes: Any, rows: Any, allowed: Any, plane: Any, leaf: Any) -> None:
    """The leaf of a tree, or of its top, that each row of a block comes to.

    Every test is made for every row, and one that fails clears the leaves of the subtree that is not entered. The
    lowest bit left is the leaf. Planes are visited from the last to the first, so that the lowest wins.
    """
    by_category = tests.look_start[t] < tests.look_start[t + 1]
    if by_category:
        look_up(tests, t, lanes, allowed)
    bits, begin_plane = 8 * lanes.itemsize, tests.tree_start[t]
    for begin in range(0, rows, len(plane)):
        for p in range(tests.tree_start[t + 1] - 1, begin_plane - 1, -1):
            first = (p - begin_plane) * bits
            if by_category:
                for i in range(len(plane)):
                    plane[i] = allowed[begin + i] >> u64(first)
            start, end = tests.plane_start[p], tests.plane_start[p + 1]
            reachable(lanes, begin, tests.lane, tests.cut, tests.mask, start, end, plane, by_category)
            exits(plane, leaf, begin, first)


@compiled
def begin_sums(base: Any, sums: Any) -> None:
    """What a block's sums begin with."""
    for o in range(len(base)):
        for i in range(BLOCK):
            sums[o, i] = base[o]


@compiled
def by_masks(columns: Any, plan: Any, tests: Any, trees: Any, values: Any, base: Any, out: Any) -> None:
    """Raw scores of trees that are scored by masks alone."""
    lane_count, output, leaf_start = trees
    rows, width = columns.shape[1], len(values)
    lanes = np.empty((lane_count, BLOCK), u8)
    scratch = (np.empty(BLOCK), np.empty(BLOCK, u32), np.empty(BLOCK, u8), np.empty(BLOCK, u8))
    allowed, plane, leaf = np.empty(BLOCK, u64), np.empty(BLOCK, u8), np.empty(BLOCK, u8)
    sums = np.empty((len(base), BLOCK), values.dtype)
    for begin in range(0, rows, BLOCK):
        size = min(BLOCK, rows - begin)
        encode(columns, begin, size, plan, scratch, lanes)
        begin_sums(base, sums)
        for t in range(len(output)):
            leaves_of(tests, t, lanes, size, allowed, plane, leaf)
            for w in range(width):
                own, added = values[w, leaf_start[t] : leaf_start[t + 1]], sums[output[t] + w]
                for i in range(BLOCK):
                    added[i] += own[leaf[i]]
        keep(sums, size, out[:, begin : begin + size])


@compiled
def step(node: Any, codes: Any, row: Any, at: Any) -> Any:
    """The child that a row goes to. The right one is next to the left one, so that a test is an addition."""
    test = node[at]
    code = codes[(test & u64(0xFFFF)) * u64(BLOCK) + row]
    return (test >> u64(32)) + u64(code > u16(test >> u64(16)))


@compiled
def step_by_sets(trees: Any, codes: Any, row: Any, at: Any) -> Any:
    """The same where a node may look a category up."""
    begin = trees.set_at[at]
    if begin < 0:
        return step(trees.node, codes, row, at)
    test = trees.node[at]
    code = np.int64(codes[(test & u64(0xFFFF)) * u64(BLOCK) + row])
    return (test >> u64(32)) + u64((trees.words[begin + (code >> 5)] >> u32(code & 31)) & u32(1))


@compiled
def descend(trees: Any, codes: Any, rows: Any, steps: Any, at: Any) -> None:
    """Rows from where they are to their leaves, team by team, a team one step at a time.

    They take as many steps as the longest way has, since to ask which of them has arrived costs more than to stay
    there; only in deep trees, whose longest way is much longer than most, are they asked now and then.
    """
    node, by_sets = trees.node, len(trees.words) > 0
    for first in range(u64(0), u64(rows), u64(TEAM)):
        left = steps
        while left > 0:
            for _ in range(min(left, TURN)):
                if by_sets:
                    for r in range(first, first + u64(TEAM)):
                        at[r] = step_by_sets(trees, codes, r, at[r])
                else:
                    for r in range(first, first + u64(TEAM)):
                        at[r] = step(node, codes, r, at[r])
            left -= TURN
            if left > 0:
                moving = False
                for r in range(first, first + u64(TEAM)):
                    moving |= (node[at[r]] >> u64(32)) != at[r]
                left = left if moving else 0


@compiled
def by_walk(columns: Any, plan: Any, tests: Any, trees: Any, values: Any, base: Any, out: Any) -> None:
    """Raw scores of trees whose tops are scored by masks, and walked from there."""
    rows, width = columns.shape[1], len(values)
    blocks = min(BLOCKS, -(-rows // BLOCK))
    lanes = np.empty((blocks, trees.lane_count + 1, BLOCK), u16)
    sums = np.empty((blocks, len(base), BLOCK), values.dtype)
    scratch = (np.empty(BLOCK), np.empty(BLOCK, u32), np.empty(BLOCK, u16), np.empty(BLOCK, u16))
    allowed, plane, leaf = np.empty(BLOCK, u64), np.empty(BLOCK // 2, u16), np.empty(BLOCK, u16)
    at = np.empty(BLOCK, u64)
    for begin in range(0, rows, BLOCK * BLOCKS):
        some = min(blocks, -(-(rows - begin) // BLOCK))
        for b in range(some):
            place = begin + b * BLOCK
            encode(columns, place, min(BLOCK, rows - place), plan, scratch, lanes[b])
            begin_sums(base, sums[b])
        for t in range(len(trees.output)):
            entry = trees.entry[trees.entry_start[t] : trees.entry_start[t + 1]]
            for b in range(some):
                size = min(BLOCK, rows - begin - b * BLOCK)
                leaves_of(tests, t, lanes[b], size, allowed, plane, leaf)
                # A team is complete, if need be with rows beyond the last.
                for i in range(-(-size // TEAM) * TEAM):
                    at[i] = entry[leaf[i]]
                descend(trees, lanes[b].reshape(-1), size, trees.steps[t], at)
                for w in range(width):
                    own, added = values[w], sums[b, trees.output[t] + w]
                    for i in range(size):
                        added[i] += own[at[i]]
        for b in range(some):
            place = begin + b * BLOCK
            size = min(BLOCK, rows - place)
            keep(sums[b], size, out[:, place : place + size])


@compiled
def leaf_ranges(left: Any, right: Any, inner: Any, roots: Any, begin: Any, count: Any, swapped: Any) -> None:
    """For each node the first of its leaves within its tree, and how many it has, the smaller subtree first.

    A failed test clears the first subtree: with the smaller one first, it is fewer planes.
    """
    for i in range(len(inner) - 1, -1, -1):
        count[i] = count[left[i]] + count[right[i]] if inner[i] else 1
        swapped[i] = inner[i] and count[right[i]] < count[left[i]]
    for t in range(len(roots) - 1):
        begin[roots[t]] = 0
        for i in range(roots[t], roots[t + 1]):
            if inner[i]:
                one, other = (right[i], left[i]) if swapped[i] else (left[i], right[i])
                begin[one] = begin[i]
                begin[other] = begin[i] + count[one]


@compiled
def heights(left: Any, right: Any, feature: Any, height: Any) -> None:
    """For each node the longest way to a leaf."""
    for i in range(len(feature) - 1, -1, -1):
        height[i] = 1 + max(height[left[i]], height[right[i]]) if feature[i] >= 0 else 0


@compiled
def exp(values: Any) -> None:
    """Replace each by its exponential, the C library's for its type."""
    flat = values.reshape(-1)
    for i in range(len(flat)):
        flat[i] = math.exp(flat[i])


@compiled
def category_left(value: Any, rounding: Any, node: Any, f: Any, arrays: Any) -> Any:
    """Whether a category goes left at a node."""
    _, _, _, _, _, flags, sets, categories, known, known_starts, words, _, _, _, _ = arrays
    if rounding == 1:
        value = math.trunc(value) if abs(value) < 1e9 else value
    elif rounding == 2:
        value = math.floor(value) if abs(value) < 1e9 else value
    if value >= 0.0 and value < categories[f] and value == f64(np.int64(value)):
        code = np.int64(value)
        if (known[known_starts[f] + (code >> 5)] >> u32(code & 31)) & u32(1):
            return bool((words[sets[node] + (code >> 5)] >> u32(code & 31)) & u32(1))
    return (flags[node] & 2) != 0


@compiled
def follow(rows: Any, arrays: Any, out: Any) -> None:
    """Each row's path through each tree, credited test by test; `rows` is (rows, features), as they are compared."""
    roots, feature, threshold, left, right, flags, sets, _, _, _, _, value, group, strict, rounding = arrays
    for begin in range(0, len(rows), BLOCK):
        end = min(begin + BLOCK, len(rows))
        for t in range(len(roots) - 1):
            for i in range(begin, end):
                node = roots[t]
                while feature[node] >= 0:
                    f = np.int64(feature[node])
                    x = rows[i, f]
                    if x != x:
                        first = (flags[node] & 1) != 0
                    elif sets[node] >= 0:
                        first = category_left(x, rounding, node, f, arrays)
                    else:
                        first = x < threshold[node] if strict else x <= threshold[node]
                    child = np.int64(left[node]) if first else np.int64(right[node])
                    out[i, group[f]] += value[child] - value[node]
                    node = child


@compiled
def logit(raw: Any, factor: Any, answers: Any) -> None:
    """The probabilities of two classes, those of the second behind those of the first."""
    outputs = len(raw)
    for o in range(outputs):
        first, second = answers[o], answers[outputs + o]
        for i in range(raw.shape[1]):
            second[i] = math.exp(-factor * raw[o, i])
        for i in range(raw.shape[1]):
            second[i] = 1.0 / (second[i] + 1.0)
            first[i] = 1.0 - second[i]


@compiled
def float32_logit(raw: Any, answers: Any) -> None:
    """The same as XGBoost has it, in float32 throughout."""
    outputs = len(raw)
    for o in range(outputs):
        first, second = answers[o], answers[outputs + o]
        for i in range(raw.shape[1]):
            second[i] = math.exp(min(-f32(raw[o, i]), f32(88.7)))
        for i in range(raw.shape[1]):
            second[i] = f32(1.0) / ((second[i] + f32(1.0)) + f32(1e-16))
            first[i] = f32(1.0) - second[i]


# Links that are compiled, where one answer is wanted.
IDENTITY, DIVIDE, LOGIT, FLOAT32_LOGIT = range(4)


@compiled
def finish(raw: Any, link: Any, out: Any) -> None:
    """The answers that are wanted, of raw scores."""
    how, factor, pick = link
    if how == LOGIT:
        answers = np.empty((2 * len(raw), len(out)))
        logit(raw, factor, answers)
        out[:] = answers[pick]
    elif how == FLOAT32_LOGIT:
        singles = np.empty((2 * len(raw), len(out)), f32)
        float32_logit(raw, singles)
        out[:] = singles[pick]
    elif how == DIVIDE:
        for i in range(len(out)):
            out[i] = raw[pick, i] / factor
    else:
        out[:] = raw[pick]


@compiled
def rows_by_masks(place: Any, rule: Any, link: Any, arguments: Any, out: Any, refused: Any) -> Any:
    """`read`, `by_masks` and `finish` in one: each call waits anew for the interpreter's lock, which others hold."""
    matrix = np.empty((len(rule[0]), len(out)))
    some = read(place, rule, matrix, refused)
    if some != NO_DOUBLES:
        plan, tests, trees, values, base = arguments
        raw = np.empty((len(base), len(out)), base.dtype)
        by_masks(matrix, plan, tests, trees, values, base, raw)
        finish(raw, link, out)
    return some


@compiled
def rows_by_walk(place: Any, rule: Any, link: Any, arguments: Any, out: Any, refused: Any) -> Any:
    """The same with `by_walk`."""
    matrix = np.empty((len(rule[0]), len(out)))
    some = read(place, rule, matrix, refused)
    if some != NO_DOUBLES:
        plan, tests, trees, values, base = arguments
        raw = np.empty((len(base), len(out)), base.dtype)
        by_walk(matrix, plan, tests, trees, values, base, raw)
        finish(raw, link, out)
    return some

"""Products of many rows with many queries, sixteen rows at a time, compiled.

PANELS · LANES rows, each brought to unit length, are transposed into a panel (D, PANELS, LANES), so that one
register holds the same coordinate of sixteen rows. TILE queries then meet a panel in registers alone: TILE · PANELS
sums, none of which ever needs adding up across lanes. A sum is compared with the worst answer that its query has so
far, and nearly always forgotten: scores are never stored as a matrix, and none is sorted.

Rows are given by the address of the first and the bytes from one to the next; they need no alignment.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from firth import machine
from firth.backends.simd import address_of
from firth.jit import compiled, inlined, intrinsic

LANES = 16
# As many sums as registers hold: 24 of 32 with 512 bits; else 6 of 16 lanes each are 12 of 16 with 256 bits.
TILE, PANELS = (12, 2) if machine.LANES == LANES else (6, 1)
PANEL_ROWS = PANELS * LANES
LINE = 4 * LANES  # bytes of a vector

FLOAT, BYTE, BIT = ir.FloatType(), ir.IntType(8), ir.IntType(1)
I32, I64 = ir.IntType(32), ir.IntType(64)
VECTOR, INTS, BITS = (ir.VectorType(kind, LANES) for kind in (FLOAT, I32, BIT))
CODES = ir.VectorType(BYTE, LANES)
HALVES = ir.VectorType(ir.IntType(16), LANES)
# A half's exponent is biased by 15, a float's by 127: moved into a float's place, its bits say 2¹¹² times too little.
HALF_SIGN, HALF_REST, HALF_SHIFT, HALF_SCALE = 0x8000, 0x7FFF, 13, 2.0**112
LARGEST_CODE = 127.0
ADDRESS = types.int64


# ---- pieces of LLVM ----------------------------------------------------------------------------


def _at(builder: Any, address: Any, offset: Any, kind: Any) -> Any:
    """Pointer to a `kind`, `offset` bytes behind `address`."""
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def _splat(builder: Any, value: Any, kind: Any = VECTOR) -> Any:
    undefined = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(undefined, value, I32(0))
    return builder.shuffle_vector(one, undefined, ir.Constant(INTS, [0] * LANES))


def _call(builder: Any, name: str, kind: Any, arguments: list[Any]) -> Any:
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(kind, [each.type for each in arguments]), name
    )
    return builder.call(function, arguments)


def _zeros(builder: Any, count: int) -> list[Any]:
    """Variables that start at zero, each time they are reached."""
    zero = ir.Constant(VECTOR, [0.0] * LANES)
    made = [cgutils.alloca_once(builder, VECTOR) for _ in range(count)]
    for each in made:
        builder.store(zero, each)
    return made


def _add_product(builder: Any, a: Any, b: Any, total: Any) -> None:
    builder.store(_call(builder, "llvm.fma.v16f32", VECTOR, [a, b, builder.load(total)]), total)


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """LANES vectors whose lane i of vector k was lane k of vector i: one bit of the two numbers swaps at a time."""
    for half in (1, 2, 4, 8):
        low = [lane if not lane & half else LANES + lane - half for lane in range(LANES)]
        high = [lane + half if not lane & half else LANES + lane for lane in range(LANES)]
        swapped = list(rows)
        for i in (i for i in range(LANES) if not i & half):
            for place, order in ((i, low), (i + half, high)):
                swapped[place] = builder.shuffle_vector(rows[i], rows[i + half], ir.Constant(INTS, order))
        rows = swapped
    return rows


def _widened(builder: Any, bits: Any) -> Any:
    """The floats that the bits of finite halves, in 32 each, stand for."""

    def all_lanes(kind: Any, value: Any) -> Any:
        return ir.Constant(kind, [value] * LANES)

    rest = builder.shl(builder.and_(bits, all_lanes(INTS, HALF_REST)), all_lanes(INTS, HALF_SHIFT))
    sizes = builder.fmul(builder.bitcast(rest, VECTOR), all_lanes(VECTOR, HALF_SCALE))
    signs = builder.shl(builder.and_(bits, all_lanes(INTS, HALF_SIGN)), all_lanes(INTS, 16))
    return builder.bitcast(builder.or_(builder.bitcast(sizes, INTS), signs), VECTOR)


# ---- intrinsics --------------------------------------------------------------------------------


@intrinsic
def pack(typingctx: Any, row: Any, stride: Any, norms: Any, last: Any, D: Any, panel: Any) -> Any:
    """Transpose LANES rows, each divided by its norm unless that is 0, into every PANELS-th vector of `panel`.

    `row` and `norms` are the addresses of the first row and its norm. `last` is the last of the rows that may be
    read, counted from the first: it takes the place of those behind it.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, stride, norms, last, D, panel = arguments
        zeros = ir.Constant(VECTOR, [0.0] * LANES)
        addresses, divisors = [], []
        for i in range(LANES):
            index = builder.select(builder.icmp_signed("<", I64(i), last), I64(i), last)
            addresses.append(builder.add(row, builder.mul(index, stride)))
            norm = builder.load(_at(builder, norms, builder.mul(index, I64(4)), FLOAT))
            divisors.append(builder.select(builder.fcmp_ordered(">", norm, FLOAT(0)), norm, FLOAT(1)))
        blocks = builder.sdiv(builder.add(D, I64(LANES - 1)), I64(LANES))
        with cgutils.for_range(builder, blocks) as loop:
            first = builder.mul(loop.index, I64(LANES))
            left = _splat(builder, builder.trunc(builder.sub(D, first), I32), INTS)
            mask = builder.icmp_signed("<", ir.Constant(INTS, list(range(LANES))), left)
            rows = []
            for address, divisor in zip(addresses, divisors, strict=True):
                source = _at(builder, address, builder.mul(first, I64(4)), VECTOR)
                values = _call(builder, "llvm.masked.load.v16f32.p0", VECTOR, [source, I32(1), mask, zeros])
                rows.append(builder.fdiv(values, _splat(builder, divisor)))
            for lane, column in enumerate(_transposed(builder, rows)):
                place = builder.mul(builder.add(first, I64(lane)), I64(PANELS * LINE))
                builder.store(column, _at(builder, panel, place, VECTOR), align=LINE)
        return context.get_dummy_value()

    return types.void(ADDRESS, types.int64, ADDRESS, types.int64, types.int64, ADDRESS), codegen


@intrinsic
def tile(typingctx: Any, queries: Any, panel: Any, D: Any, bounds: Any, scores: Any) -> Any:
    """scores[query, row] = query · row for TILE queries and a panel; which queries have one above their bound.

    `queries` is the address of float32 (D, TILE), `panel` of (D, PANELS, LANES), `bounds` of (TILE,) and `scores` of
    (TILE, PANEL_ROWS). The answer has bit i set for query i.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        queries, panel, D, bounds, scores = arguments
        totals = [_zeros(builder, PANELS) for _ in range(TILE)]
        with cgutils.for_range(builder, D) as loop:
            line = builder.mul(loop.index, I64(PANELS * LINE))
            rows = [
                builder.load(_at(builder, panel, builder.add(line, I64(LINE * p)), VECTOR), align=LINE)
                for p in range(PANELS)
            ]
            column = builder.mul(loop.index, I64(4 * TILE))
            for i in range(TILE):
                number = builder.load(_at(builder, queries, builder.add(column, I64(4 * i)), FLOAT))
                for p in range(PANELS):
                    _add_product(builder, _splat(builder, number), rows[p], totals[i][p])
        hits: Any = I64(0)
        for i in range(TILE):
            bound = _splat(builder, builder.load(_at(builder, bounds, I64(4 * i), FLOAT)))
            above: Any = ir.Constant(BITS, [0] * LANES)
            for p in range(PANELS):
                total = builder.load(totals[i][p])
                builder.store(total, _at(builder, scores, I64((i * PANELS + p) * LINE), VECTOR), align=LINE)
                above = builder.or_(above, builder.fcmp_ordered(">", total, bound))
            some = builder.icmp_unsigned("!=", builder.bitcast(above, ir.IntType(LANES)), ir.IntType(LANES)(0))
            hits = builder.or_(hits, builder.shl(builder.zext(some, I64), I64(i)))
        return hits

    return types.int64(ADDRESS, ADDRESS, types.int64, ADDRESS, ADDRESS), codegen


@intrinsic
def code_product(typingctx: Any, codes: Any, query: Any, blocks: Any) -> Any:
    """The product of a row of int8 codes with a query, float32; both are addresses of `blocks` · LANES numbers."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        codes, query, blocks = arguments
        [total] = _zeros(builder, 1)
        with cgutils.for_range(builder, blocks) as loop:
            start = builder.mul(loop.index, I64(LANES))
            small = builder.load(_at(builder, codes, start, CODES), align=1)
            numbers = builder.sitofp(builder.sext(small, INTS), VECTOR)
            place = _at(builder, query, builder.mul(start, I64(4)), VECTOR)
            _add_product(builder, numbers, builder.load(place, align=4), total)
        kind = ir.FunctionType(FLOAT, [FLOAT, VECTOR])
        added = cgutils.get_or_insert_function(builder.module, kind, "llvm.vector.reduce.fadd.v16f32")
        return builder.call(added, [FLOAT(0.0), builder.load(total)], fastmath=("reassoc",))

    return types.float32(ADDRESS, ADDRESS, types.int64), codegen


@intrinsic
def encode_row(typingctx: Any, row: Any, norm: Any, D: Any, codes: Any) -> Any:
    """Write a row at unit length as int8 codes; gives their scale and the squared distance between row and codes.

    `row` and `codes` are the addresses of D floats and of D bytes, rounded up to LANES; a `norm` of 0 leaves zeros.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, norm, D, codes = arguments
        zeros = ir.Constant(VECTOR, [0.0] * LANES)
        length = _splat(builder, builder.select(builder.fcmp_ordered(">", norm, FLOAT(0)), norm, FLOAT(1)))
        blocks = builder.sdiv(builder.add(D, I64(LANES - 1)), I64(LANES))

        def units(index: Any) -> Any:
            first = builder.mul(index, I64(LANES))
            left = _splat(builder, builder.trunc(builder.sub(D, first), I32), INTS)
            mask = builder.icmp_signed("<", ir.Constant(INTS, list(range(LANES))), left)
            source = _at(builder, row, builder.mul(first, I64(4)), VECTOR)
            values = _call(builder, "llvm.masked.load.v16f32.p0", VECTOR, [source, I32(1), mask, zeros])
            return builder.fdiv(values, length)

        def reduced(operation: str, vector: Any) -> Any:
            kind = ir.FunctionType(FLOAT, [vector.type] if operation == "fmax" else [FLOAT, vector.type])
            function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.{operation}.v16f32")
            return builder.call(function, [vector] if operation == "fmax" else [FLOAT(0.0), vector], fastmath=("fast",))

        [largest, total] = _zeros(builder, 2)
        with cgutils.for_range(builder, blocks) as loop:
            sizes = _call(builder, "llvm.fabs.v16f32", VECTOR, [units(loop.index)])
            most = builder.load(largest)
            builder.store(builder.select(builder.fcmp_ordered(">", sizes, most), sizes, most), largest)
        scale = builder.fdiv(reduced("fmax", builder.load(largest)), FLOAT(LARGEST_CODE))
        some = builder.fcmp_ordered(">", scale, FLOAT(0))
        steps = _splat(builder, builder.fdiv(FLOAT(1), builder.select(some, scale, FLOAT(1))))
        scales = _splat(builder, scale)
        with cgutils.for_range(builder, blocks) as loop:
            values = units(loop.index)
            whole = _call(builder, "llvm.rint.v16f32", VECTOR, [builder.fmul(values, steps)])
            small = builder.trunc(builder.fptosi(whole, INTS), CODES)
            builder.store(small, _at(builder, codes, builder.mul(loop.index, I64(LANES)), CODES), align=1)
            distance = builder.fsub(values, builder.fmul(whole, scales))
            _add_product(builder, distance, distance, total)
        return context.make_tuple(builder, signature.return_type, [scale, reduced("fadd", builder.load(total))])

    return types.UniTuple(types.float32, 2)(ADDRESS, types.float32, types.int64, ADDRESS), codegen


@intrinsic
def half_product(typingctx: Any, halves: Any, query: Any, blocks: Any) -> Any:
    """The product of a row of float16 with a query, float32; both are addresses of `blocks` · LANES numbers.

    Only whole-number operations and one multiplication widen a half, so no machine lacks an instruction for it.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        halves, query, blocks = arguments
        [total] = _zeros(builder, 1)
        with cgutils.for_range(builder, blocks) as loop:
            start = builder.mul(loop.index, I64(LANES))
            bits = builder.zext(builder.load(_at(builder, halves, builder.mul(start, I64(2)), HALVES), align=1), INTS)
            numbers = _widened(builder, bits)
            place = _at(builder, query, builder.mul(start, I64(4)), VECTOR)
            _add_product(builder, numbers, builder.load(place, align=4), total)
        kind = ir.FunctionType(FLOAT, [FLOAT, VECTOR])
        added = cgutils.get_or_insert_function(builder.module, kind, "llvm.vector.reduce.fadd.v16f32")
        return builder.call(added, [FLOAT(0.0), builder.load(total)], fastmath=("reassoc",))

    return types.float32(ADDRESS, ADDRESS, types.int64), codegen


@intrinsic
def widen(typingctx: Any, halves: Any, floats: Any, blocks: Any) -> Any:
    """Write `blocks` · LANES float16 as float32; both are addresses. NaN and infinity become finite numbers."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        halves, floats, blocks = arguments
        with cgutils.for_range(builder, blocks) as loop:
            start = builder.mul(loop.index, I64(LANES))
            bits = builder.zext(builder.load(_at(builder, halves, builder.mul(start, I64(2)), HALVES), align=1), INTS)
            place = _at(builder, floats, builder.mul(start, I64(4)), VECTOR)
            builder.store(_widened(builder, bits), place, align=4)
        return context.get_dummy_value()

    return types.void(ADDRESS, ADDRESS, types.int64), codegen


# ---- kernels -----------------------------------------------------------------------------------


@inlined
def _worse(scores, rows, i, j):
    """Whether answer i is worse than answer j: lower, or as high and of a later row."""
    return scores[i] < scores[j] or (scores[i] == scores[j] and rows[i] > rows[j])


@inlined
def _replace_worst(scores, rows, score, row):
    """Put an answer in the place of the worst one, which stands at the root of a heap of the worst."""
    scores[0], rows[0] = score, row
    count, i = len(scores), 0
    while 2 * i + 1 < count:
        child = 2 * i + 1
        if child + 1 < count and _worse(scores, rows, child + 1, child):
            child += 1
        if not _worse(scores, rows, child, i):
            break
        scores[i], scores[child] = scores[child], scores[i]
        rows[i], rows[child] = rows[child], rows[i]
        i = child


@inlined
def is_among(row, rows):
    """Whether a row is among these."""
    among = False
    for other in rows:
        among |= row == other
    return among


@compiled
def best_rows(matrix, stride, D, norms, first, last, queries, excluded, panel, products, bounds, scores, rows):
    """Keep the best of the rows from `first` to before `last` for each query, in heaps whose worst stands first.

    `matrix` is the address of row 0 and `stride` the bytes between rows. Arrays, all contiguous: `norms` float32
    (V,); `queries` float32 (tiles, D, TILE); `excluded` int64 (Q, E); `panel` float32 (D rounded up to LANES, PANELS,
    LANES) and `products` float32 (TILE, PANEL_ROWS), scratch, at cache lines; `bounds` float32 (tiles · TILE,), the
    worst score of each query, infinite for those that only fill a tile; `scores` float32 and `rows` int64 (Q, n).
    """
    for start in range(first, last, PANEL_ROWS):
        for p in range(PANELS):
            row = min(start + p * LANES, last - 1)
            pack(
                matrix + row * stride,
                stride,
                address_of(norms) + 4 * row,
                last - 1 - row,
                D,
                address_of(panel) + p * LINE,
            )
        for t in range(len(queries)):
            one = t * TILE
            hits = tile(
                address_of(queries) + 4 * one * D,
                address_of(panel),
                D,
                address_of(bounds) + 4 * one,
                address_of(products),
            )
            for i in range(TILE if hits else 0):
                q = one + i
                for r in range(min(PANEL_ROWS, last - start) if hits >> i & 1 else 0):
                    if products[i, r] > bounds[q] and not is_among(start + r, excluded[q]):
                        _replace_worst(scores[q], rows[q], products[i, r], start + r)
                        bounds[q] = scores[q, 0]


@compiled
def encoded_rows(matrix, stride, D, norms, slack, codes, scales, errors):
    """Rows at unit length as `codes` int8 (n, D rounded up to LANES) and `scales`, with the `errors` of scores.

    `matrix` is the address of row 0 and `stride` the bytes between rows; `norms`, `scales` and `errors` float32 (n,).
    """
    for row in range(len(norms)):
        place = address_of(codes) + row * codes.shape[1]
        scale, square = encode_row(matrix + row * stride, norms[row], D, place)
        scales[row] = scale
        errors[row] = np.sqrt(square) + slack


@compiled
def screened(codes, query, scales, errors, group, first, last, most, least):
    """The most that each row's score may be, and the least that the best of each group of rows must be.

    `codes` int8 (V, a multiple of LANES), `query` float32 as long as a row; `scales`, `errors` and `most` float32
    (n,), where n <= V rows are screened, `group` to a group; `least` float32 (groups,), filled from `first` to before
    `last`. The score is scale of row · (codes of row · query), and off by no more than the row's error.
    """
    width = codes.shape[1]
    for g in range(first, last):
        best = np.float32(-np.inf)
        for row in range(g * group, min((g + 1) * group, len(most))):
            product = code_product(address_of(codes) + row * width, address_of(query), width // LANES)
            score = scales[row] * product
            most[row] = score + errors[row]
            best = max(best, score - errors[row])
        least[g] = best

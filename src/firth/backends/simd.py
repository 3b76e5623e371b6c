"""Sixteen floats at a time: the vector operations of the CPU kernels, as Numba intrinsics that emit LLVM.

Rows are given by their address (int64) and hold `blocks` · LANES floats, aligned to 64 bytes, the tail padded with
zeros. On machines without 512-bit registers LLVM splits each operation. Numbers that must be known when the code is
compiled (how many contexts, how many output rows) are the lengths of the tuples of addresses given.

Shapes: C contexts in a tile (1 or 2), S output rows (the target and K noise words), groups of GROUP output rows.
Scores and gradients of a window are stored group by group, then context by context, GROUP floats each:
`score(context c, output s)` stands at `(s // GROUP) · stride + c · GROUP + s % GROUP`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from firth.jit import intrinsic
from firth.weights import ALIGNMENT, ROW_FLOATS

LANES = ROW_FLOATS
GROUP = 8

FLOAT = ir.FloatType()
VECTOR = ir.VectorType(FLOAT, LANES)
INTS = ir.VectorType(ir.IntType(32), LANES)
I32, I64 = ir.IntType(32), ir.IntType(64)

ADDRESS = types.int64
LOG2_E = 1.4426950408889634
LN_2_HIGH, LN_2_LOW = 0.693359375, -2.12194440e-4  # ln 2 in two parts, from Cephes' expf
# exp(r) on |r| <= ln(2)/2, from Cephes' expf (S. Moshier): highest power first, below it 1 + r + r² · (…)
EXP_POLYNOMIAL = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
SMALLEST_SQUARE = 1e-30  # of a gain that has a direction: below, float32 loses digits
LARGEST_EXPONENT = 87.0  # exp(-87) is the last that float32 holds at full precision


def _log1p_polynomial(degree: int = 9) -> tuple[float, ...]:
    """Coefficients of log(1 + e) / e on [0, 1] at Chebyshev nodes, highest power first; the error is below 1e-7."""
    fitted = np.polynomial.Chebyshev.interpolate(lambda e: np.log1p(e) / np.where(e == 0, 1, e), degree, domain=[0, 1])
    return tuple(fitted.convert(kind=np.polynomial.Polynomial).coef[::-1])


LOG1P_POLYNOMIAL = _log1p_polynomial()


# ---- pieces of LLVM ----------------------------------------------------------------------------


def _constant(value: float) -> ir.Constant:
    return ir.Constant(VECTOR, [float(np.float32(value))] * LANES)


def _pointer(builder: Any, address: Any, kind: Any = FLOAT) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def _block(builder: Any, address: Any, block: Any) -> Any:
    """Pointer to vector number `block` of the row at `address`."""
    start = builder.mul(block, I64(4 * LANES))
    return _pointer(builder, builder.add(address, start), VECTOR)


def _load(builder: Any, pointer: Any) -> Any:
    return builder.load(pointer, align=ALIGNMENT)


def _call(builder: Any, name: str, kind: Any, arguments: list[Any]) -> Any:
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(kind, [each.type for each in arguments]), name
    )
    return builder.call(function, arguments)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return _call(builder, "llvm.fma.v16f32", VECTOR, [a, b, c])


def _splat(builder: Any, value: Any, kind: Any = VECTOR) -> Any:
    undefined = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(undefined, value, I32(0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(I32, LANES), [0] * LANES))


def _polynomial(builder: Any, x: Any, coefficients: tuple[float, ...]) -> Any:
    """Horner's rule, the highest power's coefficient first."""
    value: Any = _constant(coefficients[0])
    for coefficient in coefficients[1:]:
        value = _fma(builder, value, x, _constant(coefficient))
    return value


def _sums(builder: Any, vectors: list[Any]) -> Any:
    """One vector whose lane i is the sum of vectors[i], up to 16 of them summed together in four halving steps."""
    rows = vectors + [ir.Constant(VECTOR, [0.0] * LANES)] * (LANES - len(vectors))
    for half in (1, 2, 4, 8):
        low, high = [], []
        for lane in range(LANES):
            start, within = lane // (2 * half) * 2 * half, lane % (2 * half)
            source = start + within if within < half else LANES + start + within - half
            low.append(source)
            high.append(source + half)
        masks = [ir.Constant(ir.VectorType(I32, LANES), order) for order in (low, high)]
        rows = [
            builder.fadd(*(builder.shuffle_vector(x, y, mask) for mask in masks))
            for x, y in zip(rows[::2], rows[1::2], strict=True)
        ]
    return rows[0]


def _total(builder: Any, vector: Any) -> Any:
    """The sum of a vector's lanes."""
    kind = ir.FunctionType(FLOAT, [FLOAT, VECTOR])
    total = cgutils.get_or_insert_function(builder.module, kind, "llvm.vector.reduce.fadd.v16f32")
    return builder.call(total, [FLOAT(0.0), vector], fastmath=("reassoc",))


def _exp_of_negative(builder: Any, x: Any) -> Any:
    """exp(x) for -LARGEST_EXPONENT <= x <= 0, to the last bit or two (Cephes' expf)."""
    n = _call(builder, "llvm.rint.v16f32", VECTOR, [builder.fmul(x, _constant(LOG2_E))])
    r = _fma(builder, n, _constant(-LN_2_HIGH), x)
    r = _fma(builder, n, _constant(-LN_2_LOW), r)
    value = _fma(builder, _polynomial(builder, r, EXP_POLYNOMIAL), builder.fmul(r, r), builder.fadd(r, _constant(1)))
    bits = builder.add(builder.fptosi(n, INTS), ir.Constant(INTS, [127] * LANES))
    return builder.fmul(value, builder.bitcast(builder.shl(bits, ir.Constant(INTS, [23] * LANES)), VECTOR))


# ---- intrinsics --------------------------------------------------------------------------------


@intrinsic
def address_of(typingctx: Any, array: Any) -> Any:
    """The address of an array's first item."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(made.data, I64)

    return ADDRESS(array), codegen


@intrinsic
def take(typingctx: Any, array: Any, start: Any, like: Any) -> Any:
    """The int64 items of a contiguous array from `start` on, as a tuple as long as `like`."""
    count = like.count

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        items = [builder.load(builder.gep(made.data, [builder.add(arguments[1], I64(i))])) for i in range(count)]
        return context.make_tuple(builder, signature.return_type, items)

    return types.UniTuple(types.int64, count)(array, types.int64, like), codegen


@intrinsic
def prefetch(typingctx: Any, address: Any, blocks: Any) -> Any:
    """Ask for all cache lines of the row at `address`, to be written soon."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = ir.IntType(8)
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), I32, I32, I32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        with cgutils.for_range(builder, arguments[1]) as loop:
            line = builder.bitcast(_block(builder, arguments[0], loop.index), byte.as_pointer())
            builder.call(function, [line, I32(1), I32(3), I32(1)])
        return context.get_dummy_value()

    return types.void(ADDRESS, types.int64), codegen


@intrinsic
def score(typingctx: Any, contexts: Any, outputs: Any, blocks: Any, scores: Any, stride: Any) -> Any:
    """scores[c, s] = context c · output s, for the C contexts and S outputs whose rows are given.

    `scores` is the address where the first context's first group goes; the next group stands `stride` floats on.
    Each group of a tile writes LANES floats: with one context, the upper half is zero.
    """
    C, S = contexts.count, outputs.count

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        xs = [builder.extract_value(arguments[0], c) for c in range(C)]
        ys = [builder.extract_value(arguments[1], s) for s in range(S)]
        zero = ir.Constant(VECTOR, [0.0] * LANES)
        for first in range(0, S, GROUP):
            group = ys[first : first + GROUP]
            totals = [[cgutils.alloca_once_value(builder, zero) for _ in group] for _ in xs]
            for each in (each for row in totals for each in row):
                builder.store(zero, each)
            with cgutils.for_range(builder, arguments[2]) as loop:
                x = [_load(builder, _block(builder, address, loop.index)) for address in xs]
                for s, address in enumerate(group):
                    y = _load(builder, _block(builder, address, loop.index))
                    for c in range(C):
                        builder.store(_fma(builder, x[c], y, builder.load(totals[c][s])), totals[c][s])
            lanes = [builder.load(row[s]) if s < len(group) else zero for row in totals for s in range(GROUP)]
            shift = builder.mul(arguments[4], I64(4 * (first // GROUP)))
            where = _pointer(builder, builder.add(arguments[3], shift), VECTOR)
            builder.store(_sums(builder, lanes), where, align=4)
        return context.get_dummy_value()

    return types.void(contexts, outputs, types.int64, ADDRESS, types.int64), codegen


@intrinsic
def gradient(typingctx: Any, scores: Any, signs: Any, weights: Any, rate: Any) -> Any:
    """Turn LANES scores x into gradients, in place, and return their loss.

    With z = sign · x (sign -1 for the target, +1 for noise): loss = weight · log(1 + exp(z)), and the gradient,
    the step along its negative, is -sign · weight · rate / (1 + exp(-z)). All are addresses of LANES floats.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, sign, weight = (builder.load(_pointer(builder, each, VECTOR), align=4) for each in arguments[:3])
        z = builder.fmul(sign, x)
        size = _call(builder, "llvm.fabs.v16f32", VECTOR, [z])
        size = _call(builder, "llvm.minnum.v16f32", VECTOR, [size, _constant(LARGEST_EXPONENT)])
        e = _exp_of_negative(builder, builder.fneg(size))
        inverse = builder.fdiv(_constant(1), builder.fadd(_constant(1), e))
        negative = builder.fcmp_ordered("<", z, _constant(0))  # false for NaN, so that its loss is NaN
        sigmoid = builder.select(negative, builder.fmul(e, inverse), inverse)
        step = builder.fmul(builder.fmul(builder.fneg(sign), weight), _splat(builder, arguments[3]))
        builder.store(builder.fmul(step, sigmoid), _pointer(builder, arguments[0], VECTOR), align=4)
        above = builder.select(negative, _constant(0), z)
        loss = builder.fmul(weight, _fma(builder, _polynomial(builder, e, LOG1P_POLYNOMIAL), e, above))
        return _total(builder, loss)

    return types.float32(ADDRESS, ADDRESS, ADDRESS, types.float32), codegen


@intrinsic
def update(
    typingctx: Any, read: Any, write: Any, n: Any, outputs: Any, blocks: Any, gradients: Any, stride: Any
) -> Any:
    """Context += g · outputs and output += g' · contexts, each from the values before.

    Context c < n is read from the row at `read[c]` and added to at `write[c]` (int64 arrays of addresses): the same
    row, unless its word occurs twice in the window. Outputs are stored from the last to the first, so that of rows
    given twice the first, which carries the gradient of both, is what remains.
    """
    S = outputs.count

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        n, blocks = arguments[2], arguments[4]
        reads = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        writes = context.make_array(signature.args[1])(context, builder, arguments[1]).data
        ys = [builder.extract_value(arguments[3], s) for s in range(S)]
        after = [cgutils.alloca_once(builder, VECTOR) for _ in range(S)]
        with cgutils.for_range(builder, blocks) as over:
            before = [_load(builder, _block(builder, address, over.index)) for address in ys]
            for s in range(S):
                builder.store(before[s], after[s])
            with cgutils.for_range(builder, n) as loop:
                x = _load(builder, _block(builder, builder.load(builder.gep(reads, [loop.index])), over.index))
                target = _block(builder, builder.load(builder.gep(writes, [loop.index])), over.index)
                new = _load(builder, target)
                for s in range(S):
                    place = builder.add(builder.mul(arguments[6], I64(s // GROUP)), builder.mul(loop.index, I64(GROUP)))
                    place = builder.mul(builder.add(place, I64(s % GROUP)), I64(4))
                    g = _splat(builder, builder.load(_pointer(builder, builder.add(arguments[5], place))))
                    builder.store(_fma(builder, g, x, builder.load(after[s])), after[s])
                    new = _fma(builder, g, before[s], new)
                builder.store(new, target, align=ALIGNMENT)
            for s in reversed(range(S)):
                builder.store(builder.load(after[s]), _block(builder, ys[s], over.index), align=ALIGNMENT)
        return context.get_dummy_value()

    return types.void(read, write, types.int64, outputs, types.int64, ADDRESS, types.int64), codegen


@intrinsic
def mean(typingctx: Any, rows: Any, first: Any, last: Any, skip: Any, scale: Any, blocks: Any, into: Any) -> Any:
    """Row at `into` = scale · sum of the rows at rows[first:last], rows[skip] left out."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, first, last, skip, scale, blocks, into = arguments
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        factor = _splat(builder, scale)
        zero = ir.Constant(VECTOR, [0.0] * LANES)
        total = cgutils.alloca_once(builder, VECTOR)
        with cgutils.for_range(builder, blocks) as over:
            builder.store(zero, total)
            with (
                cgutils.for_range_slice(builder, first, last, I64(1)) as (index, _),
                builder.if_then(builder.icmp_signed("!=", index, skip)),
            ):
                x = _load(builder, _block(builder, builder.load(builder.gep(data, [index])), over.index))
                builder.store(builder.fadd(builder.load(total), x), total)
            value = builder.fmul(builder.load(total), factor)
            builder.store(value, _block(builder, into, over.index), align=ALIGNMENT)
        return context.get_dummy_value()

    kinds = (rows, types.int64, types.int64, types.int64, types.float32, types.int64, ADDRESS)
    return types.void(*kinds), codegen


@intrinsic
def add_to_rows(typingctx: Any, rows: Any, first: Any, last: Any, skip: Any, blocks: Any, row: Any) -> Any:
    """Add the row at `row` to each of the rows at rows[first:last], rows[skip] left out."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, first, last, skip, blocks, row = arguments
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        with (
            cgutils.for_range_slice(builder, first, last, I64(1)) as (index, _),
            builder.if_then(builder.icmp_signed("!=", index, skip)),
        ):
            address = builder.load(builder.gep(data, [index]))
            with cgutils.for_range(builder, blocks) as over:
                place = _block(builder, address, over.index)
                step = _load(builder, _block(builder, row, over.index))
                builder.store(builder.fadd(_load(builder, place), step), place, align=ALIGNMENT)
        return context.get_dummy_value()

    return types.void(rows, types.int64, types.int64, types.int64, types.int64, ADDRESS), codegen


@intrinsic
def copy(typingctx: Any, source: Any, target: Any, blocks: Any) -> Any:
    """Copy the row at `source` over the row at `target`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        with cgutils.for_range(builder, arguments[2]) as loop:
            value = _load(builder, _block(builder, arguments[0], loop.index))
            builder.store(value, _block(builder, arguments[1], loop.index), align=ALIGNMENT)
        return context.get_dummy_value()

    return types.void(ADDRESS, ADDRESS, types.int64), codegen


def _adaptive(builder: Any, dot: Any, square: Any) -> Any:
    """1 - dot / (2 · square), or 1 where square is too small to tell."""
    half = builder.fdiv(dot, builder.fadd(square, square))
    enough = builder.fcmp_ordered(">", square, FLOAT(SMALLEST_SQUARE))
    return builder.select(enough, builder.fsub(FLOAT(1.0), half), FLOAT(1.0))


@intrinsic
def merge_row(typingctx: Any, shared: Any, own: Any, merged: Any, blocks: Any) -> Any:
    """Add what `own` gained since it was `merged` to the `shared` row, by AdaSum; all three then hold the result.

    With a = shared - merged, what others gained, and b = own - merged (Maleki et al. 2020, "Scaling distributed
    training with adaptive summation"):

        result = merged + (1 - a · b / 2|a|²) a + (1 - a · b / 2|b|²) b

    Gains at right angles are added up; of gains that agree, the mean is taken. So the result is never longer than
    the sum of gains at right angles would be: many workers that all step the same way do not step too far.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        shared, own, merged, blocks = arguments
        zero = ir.Constant(VECTOR, [0.0] * LANES)
        sums = [cgutils.alloca_once(builder, VECTOR) for _ in range(3)]
        for each in sums:
            builder.store(zero, each)

        def gains(block: Any) -> tuple[Any, Any, Any]:
            now, mine, before = (_load(builder, _block(builder, row, block)) for row in (shared, own, merged))
            return now, builder.fsub(now, before), builder.fsub(mine, before)

        with cgutils.for_range(builder, blocks) as loop:
            _, a, b = gains(loop.index)
            for total, (x, y) in zip(sums, ((a, b), (a, a), (b, b)), strict=True):
                builder.store(_fma(builder, x, y, builder.load(total)), total)
        dot, square_a, square_b = (_total(builder, builder.load(each)) for each in sums)
        others = _splat(builder, builder.fsub(_adaptive(builder, dot, square_a), FLOAT(1.0)))
        ours = _splat(builder, _adaptive(builder, dot, square_b))
        with cgutils.for_range(builder, blocks) as loop:
            now, a, b = gains(loop.index)
            value = _fma(builder, ours, b, _fma(builder, others, a, now))
            for row in (shared, own, merged):
                builder.store(value, _block(builder, row, loop.index), align=ALIGNMENT)
        return context.get_dummy_value()

    return types.void(ADDRESS, ADDRESS, ADDRESS, types.int64), codegen

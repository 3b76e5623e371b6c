"""Vectors of floats: the operations of the CPU kernels, as Numba intrinsics that emit LLVM.

Rows are given by their address (int64) and hold `blocks` vectors of LANES floats, aligned to 64 bytes, the tail padded
with zeros. LANES is what a register of this machine holds. Numbers that must be known when the code is compiled (how
many contexts, how many output rows, for some how many blocks) are the lengths of tuples given.

Shapes: C contexts in a tile (1 or 2), S output rows (the target and K noise words), groups of GROUP output rows.
Scores and gradients of a window are stored group by group, then context by context, GROUP floats each:
`score(context c, output s)` stands at `(s // GROUP) · stride + c · GROUP + s % GROUP`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from firth.backends.base import CONTEXTS_AT_ONCE, PATH_CONTEXTS_AT_ONCE
from firth.backends.simd_pieces import (
    ADDRESS,
    FLOAT,
    GROUP,
    I64,
    PAIR,
    VECTOR,
    Sums,
    ask,
    ask_in_turn,
    block_of,
    by,
    fma,
    load,
    pointer,
    splat,
    store,
    sums_of_lanes,
    total_of_lanes,
    zero,
)
from firth.jit import intrinsic
from firth.machine import LANES, REGISTERS

SMALLEST_SQUARE = 1e-30  # of a gain that has a direction: below, float32 loses digits


@intrinsic
def address_of(typingctx: Any, array: Any) -> Any:
    """The address of an array's first item."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(made.data, I64)

    return ADDRESS(array), codegen


@intrinsic
def take(typingctx: Any, array: Any, start: Any, step: Any, like: Any) -> Any:
    """The int64 items of a contiguous array from `start` on, as a tuple as long as `like`."""
    count = like.count

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        items = [
            builder.load(builder.gep(made.data, [builder.add(arguments[1], builder.mul(arguments[2], I64(i)))]))
            for i in range(count)
        ]
        return context.make_tuple(builder, signature.return_type, items)

    return types.UniTuple(types.int64, count)(array, types.int64, types.int64, like), codegen


@intrinsic
def copy_eight(typingctx: Any, source: Any, first: Any, target: Any, at: Any) -> Any:
    """Copy 8 items of the int64 array `source` from `first` on into `target` from `at` on."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(I64, 8).as_pointer()
        read = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        write = context.make_array(signature.args[2])(context, builder, arguments[2]).data
        items = builder.load(builder.bitcast(builder.gep(read, [arguments[1]]), kind), align=8)
        builder.store(items, builder.bitcast(builder.gep(write, [arguments[3]]), kind), align=8)
        return context.get_dummy_value()

    return types.void(source, types.int64, target, types.int64), codegen


@intrinsic
def prefetch(typingctx: Any, address: Any, row_like: Any) -> Any:
    """Ask for all cache lines of the row at `address`, to be written soon."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        ask(builder, arguments[0], row_like.count)
        return context.get_dummy_value()

    return types.void(ADDRESS, row_like), codegen


@intrinsic
def score(typingctx: Any, contexts: Any, outputs: Any, blocks: Any, scores: Any, stride: Any) -> Any:
    """scores[c, s] = context c · output s, for the C contexts and S outputs whose rows are given.

    `scores` is the address where the first context's first group goes; the next group stands `stride` floats on.
    Each group of a tile writes PAIR floats: with one context, the upper half is zero.
    """
    C, S = contexts.count, outputs.count
    together = 2 if C == 1 else 1  # so that few sums do not wait for their last terms

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        xs = [builder.extract_value(arguments[0], c) for c in range(C)]
        ys = [builder.extract_value(arguments[1], s) for s in range(S)]
        for first in range(0, S, GROUP):
            group = ys[first : first + GROUP]
            sums = [[Sums(builder, together) for _ in group] for _ in xs]

            def multiply(first: Any, count: int, group: list[Any] = group, sums: list[list[Sums]] = sums) -> None:
                """`count` blocks from number `first` on, each for a sum of its own."""
                for part in range(count):
                    number = builder.add(first, I64(part))
                    x = [load(builder, block_of(builder, address, number)) for address in xs]
                    for s, address in enumerate(group):
                        y = load(builder, block_of(builder, address, number))
                        for c in range(C):
                            sums[c][s].add_product(x[c], y, part)

            by(builder, arguments[2], together, multiply)
            vectors = [row[s].value() if s < len(group) else zero() for row in sums for s in range(GROUP)]
            vectors += [zero()] * (PAIR - len(vectors))
            place = builder.add(arguments[3], builder.mul(arguments[4], I64(4 * (first // GROUP))))
            for part in range(0, PAIR, LANES):
                where = pointer(builder, builder.add(place, I64(4 * part)), VECTOR)
                builder.store(sums_of_lanes(builder, vectors[part : part + LANES]), where, align=4)
        return context.get_dummy_value()

    return types.void(contexts, outputs, types.int64, ADDRESS, types.int64), codegen


@intrinsic
def weigh_pairs(typingctx: Any, contexts: Any, n: Any, counts: Any, groups: Any, weights: Any, stride: Any) -> Any:
    """Weigh the pairs of n contexts with `groups` of output rows, which count as often as the floats at `counts` say.

    Of contexts that stand twice the first counts twice, the others not at all. `contexts` is an int64 array of at least
    CONTEXTS_AT_ONCE items; the weights are laid out at `weights` as scores are, the second of a last pair being 0.
    """
    kind, few = ir.VectorType(I64, CONTEXTS_AT_ONCE), ir.VectorType(FLOAT, GROUP)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, n, counts, groups, weights, stride = arguments
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        rows = builder.load(builder.bitcast(data, kind.as_pointer()), align=8)
        one, zero_times = I64(1), FLOAT(0.0)

        def below(number: Any) -> Any:
            """The bits of numbers below this one."""
            return builder.sub(builder.shl(one, number), one)

        def write(c: Any, times: Any) -> None:
            """The weights of context c, which counts so many times."""
            with cgutils.for_range(builder, groups) as over:
                row = builder.mul(over.index, I64(4 * GROUP))
                count = builder.load(pointer(builder, builder.add(counts, row), few), align=4)
                place = builder.add(builder.mul(over.index, stride), builder.mul(c, I64(GROUP)))
                into = pointer(builder, builder.add(weights, builder.mul(place, I64(4))), few)
                builder.store(builder.fmul(splat(builder, times, few), count), into, align=4)

        with cgutils.for_range(builder, n) as loop:
            like = builder.icmp_signed("==", rows, splat(builder, builder.load(builder.gep(data, [loop.index])), kind))
            bits = builder.zext(builder.bitcast(like, ir.IntType(CONTEXTS_AT_ONCE)), I64)
            bits = builder.and_(bits, below(n))
            first = builder.icmp_signed("==", builder.and_(bits, below(loop.index)), I64(0))
            write(loop.index, builder.select(first, builder.uitofp(builder.ctpop(bits), FLOAT), zero_times))
        with builder.if_then(builder.trunc(n, ir.IntType(1))):
            write(n, zero_times)
        return context.get_dummy_value()

    return types.void(contexts, types.int64, ADDRESS, types.int64, ADDRESS, types.int64), codegen


@intrinsic
def update(
    typingctx: Any, contexts: Any, n: Any, outputs: Any, gradients: Any, stride: Any, ahead: Any, row_like: Any
) -> Any:
    """Context c += Σ_s g[c, s] · output s and output s += Σ_c g[c, s] · context c, each from the values before.

    `contexts` is an int64 array that begins with the addresses of n rows. Of contexts, and of outputs, that are given
    twice only the first may have a gradient, that of both: the others have 0, and their sums change nothing.
    Outputs are stored from the last to the first, so that the first remains.

    S rows to come are asked for meanwhile, those whose addresses stand `ahead`: (the first's address, bytes between).
    With None, none are.
    """
    S, blocks = outputs.count, row_like.count
    asked_for = not isinstance(ahead, types.NoneType)
    together = 2 if 4 * S + 5 <= REGISTERS else 1  # rows before, their sums, x, new and g: for two blocks at once

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, n, _, gradients, stride, rows_ahead, _ = arguments
        rows = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        ys = [builder.extract_value(arguments[2], s) for s in range(S)]
        groups = [builder.add(gradients, builder.mul(stride, I64(4 * group))) for group in range(-(-S // GROUP))]
        after = [[cgutils.alloca_once(builder, VECTOR) for _ in range(S)] for _ in range(together)]

        def train(first: Any, count: int) -> None:
            """`count` blocks from number `first` on."""
            if asked_for:
                turn, turns = builder.udiv(first, I64(together)), -(-blocks // together)
                ask_in_turn(builder, rows_ahead, S, blocks, turn, turns)
            numbers = [builder.add(first, I64(each)) for each in range(count)]
            before = [[load(builder, block_of(builder, address, number)) for address in ys] for number in numbers]
            for block in range(count):
                for s in range(S):
                    builder.store(before[block][s], after[block][s])
            with cgutils.for_range(builder, n) as loop:
                row = builder.load(builder.gep(rows, [loop.index]))
                places = [block_of(builder, row, number) for number in numbers]
                xs = [load(builder, place) for place in places]
                news = list(xs)
                shift = builder.mul(loop.index, I64(4 * GROUP))
                for s in range(S):
                    place = builder.add(builder.add(groups[s // GROUP], shift), I64(4 * (s % GROUP)))
                    g = splat(builder, builder.load(pointer(builder, place)))
                    for block in range(count):
                        total = builder.load(after[block][s])
                        builder.store(fma(builder, g, xs[block], total), after[block][s])
                        news[block] = fma(builder, g, before[block][s], news[block])
                for new, place in zip(news, places, strict=True):
                    store(builder, new, place)
            for s in reversed(range(S)):
                for number, sums in zip(numbers, after[:count], strict=True):
                    store(builder, builder.load(sums[s]), block_of(builder, ys[s], number))

        by(builder, I64(blocks), together, train)
        return context.get_dummy_value()

    return types.void(contexts, types.int64, outputs, ADDRESS, types.int64, ahead, row_like), codegen


@intrinsic
def update_path(
    typingctx: Any, contexts: Any, n: Any, rows: Any, first: Any, count: Any, blocks: Any, gradients: Any, stride: Any
) -> Any:
    """As `update`, for output rows whose number is known only when it runs: rows[first:first + count], int64 addresses.

    n is at most PATH_CONTEXTS_AT_ONCE. A block of each context stays in a register (there is code for each n) while all
    rows pass; contexts are stored from the last to the first, as outputs are there.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, n, _, first, count, blocks, gradients, stride = arguments
        contexts, rows = (context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (0, 2))

        def train(C: int, number: Any) -> None:
            """The blocks of this number of C contexts and all rows."""
            places = [block_of(builder, builder.load(builder.gep(contexts, [I64(c)])), number) for c in range(C)]
            xs = [load(builder, place) for place in places]
            after = [cgutils.alloca_once(builder, VECTOR) for _ in xs]
            for x, total in zip(xs, after, strict=True):
                builder.store(x, total)
            with cgutils.for_range(builder, count) as loop:
                row = builder.load(builder.gep(rows, [builder.add(first, loop.index)]))
                y = load(builder, block_of(builder, row, number))
                group = builder.mul(builder.udiv(loop.index, I64(GROUP)), stride)
                lane = builder.add(group, builder.urem(loop.index, I64(GROUP)))
                sums = [y, zero()]  # two, since each waits for its last term
                for c in range(C):
                    place = builder.add(gradients, builder.mul(builder.add(lane, I64(GROUP * c)), I64(4)))
                    g = splat(builder, builder.load(pointer(builder, place)))
                    sums[c % 2] = fma(builder, g, xs[c], sums[c % 2])
                    builder.store(fma(builder, g, y, builder.load(after[c])), after[c])
                store(builder, builder.fadd(*sums), block_of(builder, row, number))
            for place, total in reversed(list(zip(places, after, strict=True))):
                store(builder, builder.load(total), place)

        start = builder.block
        done = builder.append_basic_block("done")
        cases = []
        for C in range(1, PATH_CONTEXTS_AT_ONCE + 1):
            cases.append(builder.append_basic_block(f"contexts.{C}"))
            builder.position_at_end(cases[-1])
            with cgutils.for_range(builder, blocks) as over:
                train(C, over.index)
            builder.branch(done)
        builder.position_at_end(start)
        choice = builder.switch(n, done)
        for C, case in enumerate(cases, 1):
            choice.add_case(I64(C), case)
        builder.position_at_end(done)
        return context.get_dummy_value()

    kinds = (contexts, types.int64, rows, types.int64, types.int64, types.int64, ADDRESS, types.int64)
    return types.void(*kinds), codegen


@intrinsic
def update_path_from_one(
    typingctx: Any, x: Any, step: Any, rows: Any, first: Any, count: Any, gradients: Any, row_like: Any
) -> Any:
    """As `update_from_one`, for output rows rows[first:first + count], their number known only when it runs.

    Their gradients stand one after another. Rows are taken two at a time: one more than `count` must be there, with a
    gradient of 0, where that is odd.
    """
    most = (REGISTERS - 4) // 2  # blocks of x, as many of the step, one of a row, and a gradient
    together = 2

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, step, _, first, count, gradients, _ = arguments
        rows = context.make_array(signature.args[2])(context, builder, arguments[2]).data
        pairs = builder.udiv(builder.add(count, I64(together - 1)), I64(together))
        for start in range(0, row_like.count, most):
            numbers = [I64(number) for number in range(start, min(start + most, row_like.count))]
            before = [load(builder, block_of(builder, x, number)) for number in numbers]
            gains = [Sums(builder, 1) for _ in numbers]
            with cgutils.for_range(builder, pairs) as loop:
                for part in range(together):
                    index = builder.add(builder.mul(loop.index, I64(together)), I64(part))
                    row = builder.load(builder.gep(rows, [builder.add(first, index)]))
                    place = builder.add(gradients, builder.mul(index, I64(4)))
                    g = splat(builder, builder.load(pointer(builder, place)))
                    for number, value, gain in zip(numbers, before, gains, strict=True):
                        block = block_of(builder, row, number)
                        y = load(builder, block)
                        gain.add_product(g, y, 0)
                        store(builder, fma(builder, g, value, y), block)
            for number, gain in zip(numbers, gains, strict=True):
                store(builder, gain.value(), block_of(builder, step, number))
        return context.get_dummy_value()

    kinds = (ADDRESS, ADDRESS, rows, types.int64, types.int64, ADDRESS, row_like)
    return types.void(*kinds), codegen


@intrinsic
def update_from_one(
    typingctx: Any, x: Any, step: Any, outputs: Any, gradients: Any, stride: Any, ahead: Any, row_like: Any
) -> Any:
    """Row at `step` = Σ_s g[s] · output s, and output s += g[s] · the row at `x`, each from the values before.

    Of outputs given twice, only the first may have a gradient. Rows ahead are asked for as by `update`.
    """
    S, blocks = outputs.count, row_like.count

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, step, outputs, gradients, stride, ahead, _ = arguments
        ys = [builder.extract_value(outputs, s) for s in range(S)]
        gs = []
        for s in range(S):
            place = builder.add(builder.mul(stride, I64(4 * (s // GROUP))), I64(4 * (s % GROUP)))
            gs.append(splat(builder, builder.load(pointer(builder, builder.add(gradients, place)))))
        with cgutils.for_range(builder, I64(blocks)) as loop:
            ask_in_turn(builder, ahead, S, blocks, loop.index, blocks)
            before = load(builder, block_of(builder, x, loop.index))
            gains: list[Any] = [zero(), zero()]  # two, as in `Sums`
            for s, (y, g) in enumerate(zip(ys, gs, strict=True)):
                place = block_of(builder, y, loop.index)
                value = load(builder, place)
                gains[s % 2] = fma(builder, g, value, gains[s % 2])
                store(builder, fma(builder, g, before, value), place)
            store(builder, builder.fadd(*gains), block_of(builder, step, loop.index))
        return context.get_dummy_value()

    return types.void(ADDRESS, ADDRESS, outputs, ADDRESS, types.int64, ahead, row_like), codegen


def _parts(blocks: int) -> list[range]:
    """The numbers of a row's blocks, in parts that fit the registers."""
    most = REGISTERS - 4
    return [range(first, min(first + most, blocks)) for first in range(0, blocks, most)]


@intrinsic
def mean(typingctx: Any, rows: Any, first: Any, last: Any, skip: Any, scale: Any, into: Any, row_like: Any) -> Any:
    """Row at `into` = scale · sum of the rows at rows[first:last], rows[skip] left out."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, first, last, skip, scale, into, _ = arguments
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        for part in _parts(row_like.count):
            totals = [cgutils.alloca_once(builder, VECTOR) for _ in part]
            for total in totals:
                builder.store(zero(), total)
            for start, stop in ((first, skip), (builder.add(skip, I64(1)), last)):
                with cgutils.for_range_slice(builder, start, stop, I64(1)) as (index, _):
                    address = builder.load(builder.gep(data, [index]))
                    for number, total in zip(part, totals, strict=True):
                        x = load(builder, block_of(builder, address, I64(number)))
                        builder.store(builder.fadd(builder.load(total), x), total)
            factor = splat(builder, scale)
            for number, total in zip(part, totals, strict=True):
                store(builder, builder.fmul(builder.load(total), factor), block_of(builder, into, I64(number)))
        return context.get_dummy_value()

    kinds = (rows, types.int64, types.int64, types.int64, types.float32, ADDRESS, row_like)
    return types.void(*kinds), codegen


@intrinsic
def add_to_rows(
    typingctx: Any, rows: Any, first: Any, last: Any, skip: Any, row: Any, scale: Any, row_like: Any
) -> Any:
    """Add scale · the row at `row` to each of the rows at rows[first:last], rows[skip] left out."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, first, last, skip, row, scale, _ = arguments
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        factor = splat(builder, scale)
        for part in _parts(row_like.count):
            steps = [builder.fmul(factor, load(builder, block_of(builder, row, I64(number)))) for number in part]
            for start, stop in ((first, skip), (builder.add(skip, I64(1)), last)):
                with cgutils.for_range_slice(builder, start, stop, I64(1)) as (index, _):
                    address = builder.load(builder.gep(data, [index]))
                    for number, step in zip(part, steps, strict=True):
                        place = block_of(builder, address, I64(number))
                        store(builder, builder.fadd(load(builder, place), step), place)
        return context.get_dummy_value()

    kinds = (rows, types.int64, types.int64, types.int64, ADDRESS, types.float32, row_like)
    return types.void(*kinds), codegen


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
        sums = [cgutils.alloca_once(builder, VECTOR) for _ in range(3)]
        for each in sums:
            builder.store(zero(), each)

        def gains(block: Any) -> tuple[Any, Any, Any]:
            now, mine, before = (load(builder, block_of(builder, row, block)) for row in (shared, own, merged))
            return now, builder.fsub(now, before), builder.fsub(mine, before)

        with cgutils.for_range(builder, blocks) as loop:
            _, a, b = gains(loop.index)
            for total, (x, y) in zip(sums, ((a, b), (a, a), (b, b)), strict=True):
                builder.store(fma(builder, x, y, builder.load(total)), total)
        dot, square_a, square_b = (total_of_lanes(builder, builder.load(each)) for each in sums)
        others = splat(builder, builder.fsub(_adaptive(builder, dot, square_a), FLOAT(1.0)))
        ours = splat(builder, _adaptive(builder, dot, square_b))
        with cgutils.for_range(builder, blocks) as loop:
            now, a, b = gains(loop.index)
            value = fma(builder, ours, b, fma(builder, others, a, now))
            for row in (shared, own, merged):
                store(builder, value, block_of(builder, row, loop.index))
        return context.get_dummy_value()

    return types.void(ADDRESS, ADDRESS, ADDRESS, types.int64), codegen

"""Parts of the CPU kernels to time alone, compiled for `kernels.py`; and the loop that tells the peak they are held to.

They are compiled as `firth.jit` does, but never cached: its cache looks at firth's sources, not at these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from firth.backends import cpu_plan as plans
from firth.backends.base import Rates
from firth.backends.cpu import CpuBackend
from firth.backends.cpu_kernels import _cbow_window, _score_all, _skipgram_window
from firth.backends.cpu_plan import PIECE, draw_noise, find_inputs, find_repeated_contexts, look_ahead
from firth.backends.cpu_windows import column, gradients, scratch, stride
from firth.backends.simd import address_of, take, update
from firth.backends.simd_pieces import FLOAT, GROUP, VECTOR
from firth.corpus.encoded import Chunk
from firth.jit import intrinsic
from firth.machine import LANES, REGISTERS
from firth.weights import aligned_rows

CONTEXTS, OUTPUTS = 6, 6  # of the window in the cache: what a reach of 1 to 5 gives on average, and 5 noise words
ACCUMULATORS = 3 * REGISTERS // 4  # as many chains as hide any FMA's latency, and all in registers
TINY = 0.01  # what the rows in the cache begin with


def compiled(function: Callable[..., Any]) -> Any:
    return numba.njit(error_model="numpy", fastmath={"contract"}, nogil=True, _nrt=False)(function)


# ---- the peak ----------------------------------------------------------------------------------


@intrinsic
def fused(typingctx: Any, repeats: Any, factor: Any, addend: Any) -> Any:
    """Do x = x · factor + addend `repeats` times for each of ACCUMULATORS vectors; give the sum of their lanes."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(VECTOR, [VECTOR] * 3), f"llvm.fma.v{LANES}f32"
        )
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        undefined = ir.Constant(VECTOR, ir.Undefined)
        factor, addend = (
            builder.shuffle_vector(builder.insert_element(undefined, each, ir.IntType(32)(0)), undefined, lanes)
            for each in arguments[1:]
        )
        # each begins with a number of its own: chains that are equal would be computed once
        starts = [ir.Constant(VECTOR, [float(number)] * LANES) for number in range(ACCUMULATORS)]
        chains = [cgutils.alloca_once_value(builder, start) for start in starts]
        with cgutils.for_range(builder, arguments[0]):
            for chain in chains:
                builder.store(builder.call(fma, [builder.load(chain), factor, addend]), chain)
        total = builder.load(chains[0])
        for chain in chains[1:]:
            total = builder.fadd(total, builder.load(chain))
        reduce = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(FLOAT, [FLOAT, VECTOR]), f"llvm.vector.reduce.fadd.v{LANES}f32"
        )
        return builder.call(reduce, [FLOAT(0.0), total], fastmath=("reassoc",))

    return types.float32(types.int64, types.float32, types.float32), codegen


@compiled
def peak_loop(repeats, factor, addend):
    return fused(repeats, factor, addend)


def run_peak(repeats: int) -> float:
    """Run it on numbers that the compiler does not know: knowing them, it computed the chain that they leave as is."""
    return float(peak_loop(repeats, np.float32(0.5), np.float32(1.0)))


def peak_flop(repeats: int) -> int:
    """The floating-point operations of `peak_loop`: a fused multiply-add is two."""
    return 2 * LANES * ACCUMULATORS * repeats


# ---- a window whose rows stay in the first-level cache ------------------------------------------


def cached_window(size: int) -> tuple[Any, ...]:
    """What the functions below take beside how often: buffers, the kept word's number, rows (to hold them), tuples.

    Kept word CONTEXTS // 2 of a sentence of CONTEXTS + 1 is the centre. The rate is 0, so that numbers stay as they
    are however often it is trained; that changes no instruction.
    """
    inputs, outputs = aligned_rows(CONTEXTS + 1, size), aligned_rows(OUTPUTS, size)
    inputs[:, :size], outputs[:, :size] = TINY, TINY
    buffers = scratch(window=5, S=OUTPUTS, planned=OUTPUTS, padded=inputs.shape[1])
    centre, row_bytes = CONTEXTS // 2, inputs.strides[0]
    plan = buffers.plan
    plan.inputs[: CONTEXTS + 1] = inputs.ctypes.data + row_bytes * np.arange(CONTEXTS + 1)
    plan.outputs[:] = (outputs.ctypes.data + row_bytes * np.arange(OUTPUTS))[:, None]  # those to be asked for, too
    plan.high[centre] = CONTEXTS + 1
    buffers.contexts[:CONTEXTS] = np.delete(plan.inputs[: CONTEXTS + 1], centre)
    return buffers, centre, (inputs, outputs), (0,) * OUTPUTS, (0,) * (inputs.shape[1] // LANES)


@compiled
def score_tiles(repeats, s, i, rows, outputs_like, row_like):
    for _ in range(repeats):
        _score_all(s, CONTEXTS, take(s.plan.outputs, i, s.plan.outputs.shape[1], outputs_like), len(row_like))


@compiled
def gradient_tiles(repeats, s, i, rows, outputs_like, row_like):
    for _ in range(repeats):
        gradients(s, CONTEXTS, -(-len(outputs_like) // GROUP), False, s.plan.rate[i])


@compiled
def update_tiles(repeats, s, i, rows, outputs_like, row_like):
    for _ in range(repeats):
        outputs = take(s.plan.outputs, i, s.plan.outputs.shape[1], outputs_like)
        update(
            s.contexts,
            CONTEXTS,
            outputs,
            address_of(s.gradients),
            stride(CONTEXTS),
            column(s.plan.outputs, i),
            row_like,
        )


@compiled
def skipgram_windows(repeats, s, i, rows, outputs_like, row_like):
    for _ in range(repeats):
        outputs = take(s.plan.outputs, i, s.plan.outputs.shape[1], outputs_like)
        _skipgram_window(s.plan, s, i, outputs, row_like, 0, 0)  # no word to come, so no input row is asked for


@compiled
def cbow_windows(repeats, s, i, rows, outputs_like, row_like):
    for _ in range(repeats):
        outputs = take(s.plan.outputs, i, s.plan.outputs.shape[1], outputs_like)
        _cbow_window(s.plan, s, i, CONTEXTS, outputs, row_like, False)


# ---- a chunk -----------------------------------------------------------------------------------


def as_handed(backend: CpuBackend, chunk: Chunk, rates: Rates) -> tuple[Any, ...]:
    """What the backend's first worker decides a chunk of epoch 0 by."""
    tokens, offsets = chunk.tokens.view(), chunk.offsets.view()
    tokens.flags.writeable = offsets.flags.writeable = False
    return (
        plans.Stretch(tokens, offsets, chunk.sentence, chunk.first, chunk.last, chunk.position),
        plans.Rates(rates.start, rates.slope, rates.floor),
        backend._keys(0),
        backend._rules,
        backend._tables,
        backend._rows[0],
        backend._scratch[0].plan,
    )


@compiled
def decide(chunk, rates, keys, rules, tables, rows, p):
    """Make all decisions for the chunk, and train nothing; give the words seen."""
    first, sentence, words = chunk.first, chunk.sentence, 0
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        _, end, kept, sentence, seen = look_ahead(chunk, rates, keys, rules, tables, p, first, last, sentence, False)
        draw_noise(chunk, keys, tables, rows, p, end, None)
        find_repeated_contexts(p, end, kept)
        find_inputs(rows, p, kept)
        words += seen
        first = last
    return words


@compiled
def count(chunk, rates, keys, rules, tables, rows, p):
    """Over all windows that have contexts: pairs of different contexts and outputs, contexts, different outputs."""
    first, sentence, pairs, contexts, outputs = chunk.first, chunk.sentence, 0, 0, 0
    while first < chunk.last:
        last = min(first + PIECE, chunk.last)
        begin, end, _, sentence, _ = look_ahead(chunk, rates, keys, rules, tables, p, first, last, sentence, False)
        draw_noise(chunk, keys, tables, rows, p, end, None)
        for i in range(begin, end):
            here = p.high[i] - p.low[i] - 1
            if here == 0:
                continue
            own = 0
            for k in range(len(p.outputs)):
                own += 1
                for other in range(k):
                    if p.outputs[other, i] == p.outputs[k, i]:
                        own -= 1
                        break
            different = 0
            for at in range(p.low[i], p.high[i]):
                different += at != i
                for other in range(p.low[i], at):
                    if at != i and other != i and p.inputs[other] == p.inputs[at]:
                        different -= 1
                        break
            pairs += different * own
            contexts += here
            outputs += own
        first = last
    return pairs, contexts, outputs

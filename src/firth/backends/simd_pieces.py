"""Pieces of LLVM that the intrinsics of the CPU kernels are put together from.

LANES is what a vector register of this machine holds; rows are given by their address (int64), aligned to 64 bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from firth.machine import LANES

LINE = 64  # bytes of a cache line
GROUP = 8
PAIR = 2 * GROUP  # scores of two contexts against a group: what `gradient` takes at once

FLOAT = ir.FloatType()
VECTOR = ir.VectorType(FLOAT, LANES)
SCORES, INTS = ir.VectorType(FLOAT, PAIR), ir.VectorType(ir.IntType(32), PAIR)
I32, I64 = ir.IntType(32), ir.IntType(64)
ADDRESS = types.int64


def zero(kind: Any = VECTOR) -> ir.Constant:
    """A vector of zeros."""
    return ir.Constant(kind, [0.0] * kind.count)


def ints(value: int) -> ir.Constant:
    """A vector of PAIR whole numbers alike."""
    return ir.Constant(INTS, [value] * PAIR)


def pointer(builder: Any, address: Any, kind: Any = FLOAT) -> Any:
    """The pointer to what stands at an address."""
    return builder.inttoptr(address, kind.as_pointer())


def block_of(builder: Any, address: Any, block: Any) -> Any:
    """Pointer to vector number `block` of the row at `address`."""
    start = builder.mul(block, I64(4 * LANES))
    return pointer(builder, builder.add(address, start), VECTOR)


def load(builder: Any, pointer: Any) -> Any:
    """A vector from where a block of a row stands."""
    return builder.load(pointer, align=4 * LANES)


def store(builder: Any, value: Any, pointer: Any) -> None:
    """Write a vector to where a block of a row stands."""
    builder.store(value, pointer, align=4 * LANES)


def call(builder: Any, name: str, kind: Any, arguments: list[Any]) -> Any:
    """Call an intrinsic of LLVM's that gives `kind`."""
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(kind, [each.type for each in arguments]), name
    )
    return builder.call(function, arguments)


def fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """A · b + c, rounded once."""
    return call(builder, f"llvm.fma.v{a.type.count}f32", a.type, [a, b, c])


def splat(builder: Any, value: Any, kind: Any = VECTOR) -> Any:
    """A vector of `value` in all lanes."""
    undefined = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(undefined, value, I32(0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(I32, kind.count), [0] * kind.count))


def sums_of_lanes(builder: Any, vectors: list[Any]) -> Any:
    """One vector whose lane i is the sum of vectors[i], LANES of them summed together, halving step by step."""
    half = 1
    while half < LANES:
        low, high = [], []
        for lane in range(LANES):
            upper = lane % (2 * half) >= half
            low.append(LANES + lane if upper else lane)  # in place, so that a blend will do
            high.append(LANES + lane - half if upper else lane + half)
        masks = [ir.Constant(ir.VectorType(I32, LANES), order) for order in (low, high)]
        vectors = [
            builder.fadd(*(builder.shuffle_vector(x, y, mask) for mask in masks))
            for x, y in zip(vectors[::2], vectors[1::2], strict=True)
        ]
        half *= 2
    return vectors[0]


def total_of_lanes(builder: Any, vector: Any) -> Any:
    """The sum of a vector's lanes."""
    kind = ir.FunctionType(FLOAT, [FLOAT, vector.type])
    name = f"llvm.vector.reduce.fadd.v{vector.type.count}f32"
    total = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(total, [FLOAT(0.0), vector], fastmath=("reassoc",))


class Sums:
    """A sum of vectors in `count` parts, which do not wait for one another."""

    def __init__(self, builder: Any, count: int) -> None:
        self.builder = builder
        self.parts = [cgutils.alloca_once(builder, VECTOR) for _ in range(count)]
        for part in self.parts:
            builder.store(zero(), part)

    def add_product(self, x: Any, y: Any, part: int) -> None:
        """Add x · y to one of the parts."""
        self.builder.store(fma(self.builder, x, y, self.builder.load(self.parts[part])), self.parts[part])

    def value(self) -> Any:
        """The sum of all parts."""
        values = [self.builder.load(part) for part in self.parts]
        while len(values) > 1:
            values = [self.builder.fadd(*values[:2]), *values[2:]]
        return values[0]


def by(builder: Any, count: Any, together: int, body: Callable[[Any, int], None]) -> None:
    """Do body(first, n) for numbers below `count`: `together` of them at a time, then the rest one by one."""
    groups = builder.udiv(count, I64(together))
    with cgutils.for_range(builder, groups) as over:
        body(builder.mul(over.index, I64(together)), together)
    if together > 1:
        with cgutils.for_range_slice(builder, builder.mul(groups, I64(together)), count, I64(1)) as (index, _):
            body(index, 1)


def ask(builder: Any, address: Any, blocks: int) -> None:
    """Ask for all cache lines of the row at `address`, to be written soon."""
    byte = ir.IntType(8)
    kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), I32, I32, I32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    for start in range(0, blocks * LANES * 4, LINE):
        line = pointer(builder, builder.add(address, I64(start)), byte)
        builder.call(function, [line, I32(1), I32(3), I32(1)])


def ask_in_turn(builder: Any, ahead: Any, count: int, blocks: int, turn: Any, turns: int) -> None:
    """Ask for this turn's share of `count` rows; `ahead` is where their addresses stand: (address, bytes between two).

    A core has only so many lines under way at once, and waits when it is asked for more: with all rows of a window
    asked for in one go, the whole of skip-gram took a thirtieth longer at D = 100, a fifth at D = 300.
    """
    table, between = (builder.extract_value(ahead, part) for part in range(2))
    share = -(-count // turns)
    for part in range(share):
        k = builder.add(builder.mul(turn, I64(share)), I64(part))
        with builder.if_then(builder.icmp_unsigned("<", k, I64(count))):
            place = builder.add(table, builder.mul(k, between))
            ask(builder, builder.load(pointer(builder, place, I64)), blocks)

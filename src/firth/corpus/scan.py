"""Text taken 64 bytes and words taken 16 bytes at a time: Numba intrinsics that emit LLVM.

Addresses are int64. A block of BLOCK bytes at a multiple of BLOCK never crosses a page, so it may be read whole if
any byte of it may; what lies outside the text is masked away afterwards.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from firth.jit import intrinsic

BLOCK = 64  # bytes: a cache line, and as many as an int64 has bits

BYTE, I32, I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
VECTOR, FLAGS = ir.VectorType(BYTE, BLOCK), ir.VectorType(ir.IntType(1), BLOCK)


def _splat(builder: Any, value: Any) -> Any:
    undefined = ir.Constant(VECTOR, ir.Undefined)
    one = builder.insert_element(undefined, builder.trunc(value, BYTE), I32(0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(I32, BLOCK), [0] * BLOCK))


@intrinsic
def in_ranges(typingctx: Any, address: Any, first: Any, width: Any, other: Any, other_width: Any) -> Any:
    """Which bytes of the block at `address` are first to first + width, or other to other + other_width: a bit each."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = builder.load(builder.inttoptr(arguments[0], VECTOR.as_pointer()), align=BLOCK)
        start, length, start_2, length_2 = (_splat(builder, each) for each in arguments[1:])
        within = builder.icmp_unsigned("<=", builder.sub(block, start), length)
        within_2 = builder.icmp_unsigned("<=", builder.sub(block, start_2), length_2)
        return builder.bitcast(builder.or_(within, within_2), I64)

    return types.uint64(*[types.int64] * 5), codegen


@intrinsic
def byte_at(typingctx: Any, address: Any) -> Any:
    """The byte at an address, as uint64."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.zext(builder.load(builder.inttoptr(arguments[0], BYTE.as_pointer())), I64)

    return types.uint64(types.int64), codegen


@intrinsic
def eight_at(typingctx: Any, address: Any) -> Any:
    """The eight bytes from an address on, as uint64, the first of them lowest."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], I64.as_pointer()), align=1)

    return types.uint64(types.int64), codegen


@intrinsic
def put_eight(typingctx: Any, address: Any, value: Any) -> Any:
    """Write a uint64 to the eight bytes from an address on, its lowest byte first."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], I64.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64), codegen


@intrinsic
def first_bit(typingctx: Any, bits: Any) -> Any:
    """The place of the lowest bit that is set in a uint64, which must not be 0."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), codegen


@intrinsic
def count_bits(typingctx: Any, bits: Any) -> Any:
    """How many bits are set in a uint64."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), codegen


@intrinsic
def reversed_bytes(typingctx: Any, value: Any) -> Any:
    """A uint64 with its bytes in the opposite order, so that text compares as numbers do."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bswap(arguments[0])

    return types.uint64(types.uint64), codegen


@intrinsic
def ask_for(typingctx: Any, address: Any) -> Any:
    """Ask for the cache line at an address, to be read and written soon."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), I32, I32, I32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [builder.inttoptr(arguments[0], BYTE.as_pointer()), I32(1), I32(3), I32(1)])
        return context.get_dummy_value()

    return types.void(types.int64), codegen

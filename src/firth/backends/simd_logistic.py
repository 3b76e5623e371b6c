"""Gradients and losses of logistic regression, as Numba intrinsics that emit LLVM; see `simd` for how scores stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils

from firth.backends.simd_pieces import (
    ADDRESS,
    FLOAT,
    I32,
    I64,
    INTS,
    PAIR,
    SCORES,
    call,
    fma,
    ints,
    pointer,
    splat,
    total_of_lanes,
    zero,
)
from firth.jit import intrinsic

Floats = npt.NDArray[np.float64]

LOG2_E = 1.4426950408889634
LARGEST_EXPONENT = 87.0  # exp(-87) is the last that float32 holds at full precision


def _polynomial(function: Callable[[Floats], Floats], degree: int, low: float, high: float) -> tuple[float, ...]:
    """Coefficients of a polynomial through `function` at Chebyshev nodes of [low, high], the lowest power first."""
    fitted = np.polynomial.Chebyshev.interpolate(function, degree, domain=[low, high])
    return tuple(fitted.convert(kind=np.polynomial.Polynomial).coef)


EXP2_POLYNOMIAL = _polynomial(np.exp2, 5, -0.5, 0.5)  # the error is 2e-7 at most
LOG1P_POLYNOMIAL = _polynomial(lambda e: np.log1p(e) / np.where(e == 0, 1, e), 9, 0.0, 1.0)  # log(1 + e) / e; 1e-7

# What `gradient` computes with, handed to it as an array: compiled in, each would cost an instruction that holds its
# address, 22 for every vector of scores, and a twentieth of skip-gram's speed.
CONSTANTS = {
    "one": 1.0,
    "largest": LARGEST_EXPONENT,
    "-log2(e)": -LOG2_E,
    **{f"exp{power}": each for power, each in enumerate(EXP2_POLYNOMIAL)},
    **{f"log{power}": each for power, each in enumerate(LOG1P_POLYNOMIAL)},
}


def _gradient(builder: Any, arguments: Any, weigh_loss: bool) -> None:
    """What `gradient` and `gradient_weighed` have in common, and where they differ."""
    scores, signs, weights, rate, constants, losses = arguments
    x, sign, weight = (builder.load(pointer(builder, each, SCORES), align=4) for each in (scores, signs, weights))

    def constant(name: str) -> Any:
        place = builder.add(constants, I64(4 * list(CONSTANTS).index(name)))
        return splat(builder, builder.load(pointer(builder, place)), SCORES)

    def polynomial(x: Any, name: str, degree: int) -> Any:
        """Horner's rule."""
        value = constant(f"{name}{degree}")
        for power in reversed(range(degree)):
            value = fma(builder, value, x, constant(f"{name}{power}"))
        return value

    def apply(name: str, *values: Any) -> Any:
        return call(builder, f"llvm.{name}.v{PAIR}f32", SCORES, list(values))

    def add(value: Any, kind: int) -> None:
        """To the sums (0), or as factors to the products (1)."""
        place = pointer(builder, builder.add(losses, I64(4 * PAIR * kind)), SCORES)
        before = builder.load(place, align=4)
        builder.store(builder.fmul(before, value) if kind else builder.fadd(before, value), place, align=4)

    one, nothing = constant("one"), zero(SCORES)
    z = builder.fmul(sign, x)
    # e = exp(-|z|) = 2^n · 2^r, with -|z| · log2(e) = n + r
    power = builder.fmul(apply("minnum", apply("fabs", x), constant("largest")), constant("-log2(e)"))
    n = apply("rint", power)
    e = polynomial(builder.fsub(power, n), "exp", len(EXP2_POLYNOMIAL) - 1)
    shifted = builder.shl(builder.fptosi(n, INTS), ints(23))
    e = builder.bitcast(builder.add(builder.bitcast(e, INTS), shifted), SCORES)
    factor = builder.fadd(one, e) if weigh_loss else fma(builder, weight, e, one)
    negative = builder.fcmp_ordered("<", z, nothing)  # false for NaN, so that its loss is NaN
    sigmoid = builder.fdiv(builder.select(negative, e, one), factor)
    step = builder.fmul(builder.fmul(sign, weight), splat(builder, builder.fneg(rate), SCORES))
    builder.store(builder.fmul(step, sigmoid), pointer(builder, scores, SCORES), align=4)
    above = builder.select(negative, nothing, z)
    if weigh_loss:
        add(builder.fmul(weight, fma(builder, polynomial(e, "log", len(LOG1P_POLYNOMIAL) - 1), e, above)), 0)
    else:
        add(above, 0)
        add(factor, 1)


@intrinsic
def gradient(typingctx: Any, scores: Any, signs: Any, weights: Any, rate: Any, constants: Any, losses: Any) -> Any:
    """Turn PAIR scores x into gradients, in place, and add their losses to those at `losses`.

    With z = sign · x (sign -1 for the target, +1 for noise): loss = weight · log(1 + exp(z)), and the gradient,
    the step along its negative, is -sign · weight · rate / (1 + exp(-z)). All but `rate` are addresses of floats:
    PAIR each, and `constants` those of CONSTANTS. Weights are 1, or 0 where the score is 0.

    log(1 + exp(z)) is max(z, 0) + log(1 + exp(-|z|)). `losses` holds PAIR sums of the first, then PAIR products of what
    the second is the logarithm of, at most 2 each, since a product costs a tenth of a logarithm. Each factor is rounded
    to float32, which is worth up to 6e-8: nothing beside the losses of text, but all of one below that.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _gradient(builder, arguments, weigh_loss=False)
        return context.get_dummy_value()

    return types.void(ADDRESS, ADDRESS, ADDRESS, types.float32, ADDRESS, ADDRESS), codegen


@intrinsic
def gradient_weighed(
    typingctx: Any, scores: Any, signs: Any, weights: Any, rate: Any, constants: Any, losses: Any
) -> Any:
    """As `gradient`, for any weights: whole losses go to the sums."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _gradient(builder, arguments, weigh_loss=True)
        return context.get_dummy_value()

    return types.void(ADDRESS, ADDRESS, ADDRESS, types.float32, ADDRESS, ADDRESS), codegen


@intrinsic
def total(typingctx: Any, losses: Any) -> Any:
    """Add up the losses kept as `gradient` tells, and begin anew: gives (sum, exponents, mantissa).

    The loss is sum + log(mantissa) + exponents · log(2): the product of all products is mantissa · 2^exponents.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = [pointer(builder, builder.add(arguments[0], I64(4 * PAIR * kind)), SCORES) for kind in range(2)]
        sums, products = (builder.load(place, align=4) for place in places)
        bits = builder.bitcast(products, INTS)
        exponents = builder.sub(builder.lshr(bits, ints(23)), ints(127))
        fraction = builder.or_(builder.and_(bits, ints(2**23 - 1)), ints(127 << 23))
        mantissas = builder.bitcast(fraction, SCORES)
        of_ints = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(I32, [INTS]), f"llvm.vector.reduce.add.v{PAIR}i32"
        )
        of_floats = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(FLOAT, [FLOAT, SCORES]), f"llvm.vector.reduce.fmul.v{PAIR}f32"
        )
        mantissa = builder.call(of_floats, [FLOAT(1.0), mantissas], fastmath=("reassoc",))
        found = [total_of_lanes(builder, sums), builder.sext(builder.call(of_ints, [exponents]), I64), mantissa]
        builder.store(zero(SCORES), places[0], align=4)
        builder.store(ir.Constant(SCORES, [1.0] * PAIR), places[1], align=4)
        return context.make_tuple(builder, signature.return_type, found)

    return types.Tuple((types.float32, types.int64, types.float32))(ADDRESS), codegen

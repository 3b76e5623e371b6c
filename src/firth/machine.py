"""The vector registers of the machine that Numba compiles for: what kernels are shaped by."""

from __future__ import annotations

import platform

import llvmlite.binding as llvm
import numba


def _registers() -> tuple[int, int]:
    """(floats that a vector register holds, number of such registers)."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return 4, 32
    chosen = getattr(numba.config, "CPU_FEATURES", None)  # NUMBA_CPU_FEATURES
    features = llvm.get_host_cpu_features().flatten() if chosen is None else chosen
    return (16, 32) if "+avx512f" in features.split(",") else (8, 16)


LANES, REGISTERS = _registers()

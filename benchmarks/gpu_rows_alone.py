"""A kernel that reads the rows of a text's words, one after another, and adds to them: training without its maths.

What it reaches is what training on a GPU could reach if computing took no time.
"""

from __future__ import annotations

import triton
import triton.language as tl

from firth.backends.gpu_rows import add, load


@triton.jit(do_not_specialize=["n"])
def move(  # type: ignore[no-untyped-def]
    matrix,  # float32 or bfloat16 (V, WIDTH)
    rows,  # int32 (n,): which of them
    n,
    MAIN: tl.constexpr,
    WIDTH: tl.constexpr,
):
    """Each program moves a stretch of the rows."""
    program, programs = tl.program_id(0).to(tl.int64), tl.num_programs(0)
    for i in range(n * program // programs, n * (program + 1) // programs):
        row = (tl.load(rows + i),)
        x = load(matrix, row, 1, 0, MAIN, WIDTH)
        add(matrix, row, (1.0,), x, x, (row[0] * WIDTH).to(tl.uint32), 1, 0, MAIN, WIDTH, True)

"""How the rows of a window lie in the registers of a GPU, and how many programs that leaves room for."""

from __future__ import annotations

from typing import NamedTuple

# Of a multiprocessor, on all of NVIDIA's since 2014 (CUDA C++ Programming Guide, "Compute Capabilities").
REGISTERS, REGISTERS_AT_ONCE = 65_536, 8
# Programs that a multiprocessor holds at most, which PyTorch does not tell, by compute capability; as many as the
# smallest holds where it is not known.
MOST_PROGRAMS = {(8, 0): 32, (8, 6): 16, (8, 7): 16, (8, 9): 24, (9, 0): 32, (10, 0): 32}
FEWEST_PROGRAMS = 16
THREADS = 32  # in a warp
MOST_WARPS = 32  # of one program
# Numbers in a row that a thread has to add for one instruction to do so: a bfloat16 alone would take a loop of
# compare-and-swap (Triton 3.7, for sm_90).
ADDED_AT_ONCE = {"float32": 1, "bfloat16": 2}

# Floats of output rows that a thread may hold: it holds as many of what they gain, and has 255 registers. With 60, for
# D = 300 and K = 5, it takes 222; with 84 some are spilled.
MOST_FLOATS = 64
MOST_NODES, FEWEST_NODES = 8, 4  # of a path at a time: of more, many are not there; of fewer, contexts pass by often
FEW_FLOATS = 32  # with no more, two contexts at a time take no register from programs that could run beside


class Shape(NamedTuple):
    """How a window lies in a program's registers.

    Rows are blocks of `main` and `tail` floats in so many warps, `each` or more of a block to a thread; `tile` contexts
    are at hand at a time.
    """

    main: int
    tail: int
    warps: int
    tile: int
    each: int = 1

    def shared_by(self, warps: int) -> Shape:
        """The same rows in so many warps, each thread of which has some of every block; in fewer, if there are none."""
        main, tail, smallest = self.main, self.tail, THREADS * self.each
        if 0 < tail < smallest * warps:
            main, tail = 1 << (main + tail - 1).bit_length(), 0
        return self._replace(main=main, tail=tail, warps=min(warps, main // smallest))


def shape_of(width: int, S: int, each: int = 1) -> Shape:
    """The shape for rows of `width` floats and S output rows, which fills registers and spills none.

    One warp needs no barrier and no shared memory to sum a row. Where a row's floats for each of its threads, times S,
    are too many, more warps share them. They still are where a multiprocessor has not so many registers, as for 64
    noise words, or 20 and rows of 1,024: then some are spilled. A thread has `each` numbers in a row, or more.
    """
    smallest = THREADS * each
    whole = max(smallest, 1 << (width - 1).bit_length())
    half = whole // 2
    tail = max(smallest, 1 << max(width - half - 1, 0).bit_length())
    split = (half, tail) if width > half and half + tail < whole else (whole, 0)
    if S * sum(split) <= MOST_FLOATS * THREADS:
        main, tail, warps = *split, 1
    else:
        main, tail, warps = whole, 0, 2
        while S * main > MOST_FLOATS * THREADS * warps and main > smallest * warps and warps < MOST_WARPS:
            warps *= 2
    return Shape(main, tail, warps, 2 if S * (main + tail) <= FEW_FLOATS * THREADS * warps else 1, each)


def nodes_at_once(width: int, each: int = 1) -> int:
    """How many nodes of a path are in registers at a time, for rows of `width` floats."""
    shape = shape_of(width, 1, each)
    return max(FEWEST_NODES, min(MOST_NODES, MOST_FLOATS * THREADS // (shape.main + shape.tail)))


def programs_of_a_multiprocessor(registers: int, warps: int, threads: int, capability: tuple[int, int]) -> int:
    """How many programs one multiprocessor holds at once.

    A program is so many warps of threads that take so many registers each; the multiprocessor holds so many threads.
    """
    taken = -(-registers // REGISTERS_AT_ONCE) * REGISTERS_AT_ONCE * THREADS * warps
    most = MOST_PROGRAMS.get(capability, FEWEST_PROGRAMS)
    return max(1, min(REGISTERS // taken, threads // (THREADS * warps), most))

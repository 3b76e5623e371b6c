"""Runs what is compiled for a GPU, without one: PTX, the assembly language of NVIDIA's GPUs, thread by thread.

Triton's interpreter shows that a kernel says what it should; this shows that what is compiled from it does so: that
lanes exchange what they should, whole numbers are as wide as they must be, no address is out of bounds or unaligned,
and no thread reads what another of its program wrote, nor writes over what another warp read, without having met it at
a barrier. Each of these is a `Fault`.

The 32 threads of a warp go together, an instruction being one of NumPy on 32 numbers. The warps of a program go one
after another, each to its next barrier; programs go one after another, or several in turn, each some instructions.
What is rounded may differ from a GPU's in the last bit: a multiplication and addition in one are computed in float64
and rounded, and so are approximations (ex2.approx); the smallest numbers are not flushed to 0.

Instructions are those of NVIDIA's "PTX ISA" that Triton makes of firth's kernels. Any other is
`Unknown`; a branch that the threads of one warp take differently is a `Fault`.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache
from operator import methodcaller

import numpy as np

LANES = 32
SEVERAL = -1  # in place of the one warp that read something
ALL = np.ones(LANES, bool)
KINDS = {
    "pred": np.bool_, "b8": np.uint8, "b16": np.uint16, "b32": np.uint32, "b64": np.uint64,
    "u16": np.uint16, "u32": np.uint32, "u64": np.uint64, "s16": np.int16, "s32": np.int32, "s64": np.int64,
    "f32": np.float32, "f64": np.float64, "bf16": np.uint16,
}  # fmt: skip
KNOWN = {
    *KINDS, "bf16x2", "rn", "ftz", "lo", "wide", "approx", "full", "uni", "sync", "aligned", "m8n8", "x1", "x2", "x4",
    "v2", "v4", "v8", "param", "global", "shared", "cg", "gpu", "relaxed", "noftz", "add", "min", "max", "bfly", "idx",
    "eq", "ne", "lt", "le", "gt", "ge", "num", "equ", "neu", "ltu", "leu", "gtu", "geu",
}  # fmt: skip

BITS_ALONE = ("cvt", "ld", "st", "atom")  # that know bfloat16, which to NumPy is a whole number


class Fault(Exception):
    """What would be a fault on a GPU, or a race."""


class Unknown(Exception):
    """An instruction, or a use of one, that Triton makes for none of firth's kernels, and that is not emulated."""


# ---- what runs ------------------------------------------------------------------------------------


class Memory:
    """Arrays of bytes by address, and who wrote and read them last, since which barrier, for so many bytes each."""

    def __init__(self, arrays, unit=2):
        self.unit = unit
        self.begins = np.array(sorted(arrays), np.uint64)
        self.arrays = [arrays[begin] for begin in sorted(arrays)]
        self.writers = [np.zeros(len(array) // unit + 1, np.uint32) for array in self.arrays]
        self.writes = [np.full(len(array) // unit + 1, -1, np.int64) for array in self.arrays]
        self.readers = [np.zeros(len(array) // unit + 1, np.int32) for array in self.arrays]  # warps, or SEVERAL
        self.reads = [np.full(len(array) // unit + 1, -1, np.int64) for array in self.arrays]

    def place(self, addresses, size, align):
        """Which array these addresses lie in, and where, in items of so many bytes; `align` bytes are touched."""
        which = int(np.searchsorted(self.begins, addresses[0], side="right")) - 1
        if which < 0:
            raise Fault(f"address {addresses[0]:#x} is in no array")
        at = addresses.astype(np.int64) - int(self.begins[which])
        if at.min() < 0 or at.max() + align > len(self.arrays[which]):
            raise Fault(f"bytes {at.min()} to {at.max() + align} of an array of {len(self.arrays[which])}")
        if (addresses % np.uint64(align)).any():
            raise Fault(f"addresses that are no multiples of {align}")
        return which, at // size

    def units(self, at, size):
        """The units that items of so many bytes at these places have."""
        return at[:, None] * size // self.unit + np.arange(-(-size // self.unit))

    def read(self, warp, which, dtype, at, active):
        """Items that no other thread of the program wrote since its last barrier."""
        there = self.units(at, dtype.itemsize)
        fresh = self.writes[which][there] == warp.program.now
        if (fresh & (self.writers[which][there] != warp.threads[active][:, None])).any():
            raise Fault("a thread reads what another wrote, without a barrier between")
        again = (self.reads[which][there] == warp.program.now) & (self.readers[which][there] != warp.number)
        self.readers[which][there] = np.where(again, SEVERAL, warp.number)
        self.reads[which][there] = warp.program.now
        return self.arrays[which].view(dtype)[at]

    def write(self, warp, which, at, numbers, active):
        there = self.units(at, numbers.dtype.itemsize)
        fresh = self.reads[which][there] == warp.program.now
        if (fresh & (self.readers[which][there] != warp.number)).any():
            raise Fault("a warp writes over what another read, without a barrier between")
        self.arrays[which].view(numbers.dtype)[at] = numbers
        self.writers[which][there] = warp.threads[active][:, None]
        self.writes[which][there] = warp.program.now


class Program:
    """One program: its number of so many, its warps, and how often they have met at barriers."""

    def __init__(self, kernel, number, count, params, memory, shared):
        self.kernel, self.number, self.count = kernel, number, count
        self.params, self.memory = params, memory
        self.shared = Memory({0: np.zeros(shared, np.uint8)} if shared else {}, unit=1)
        self.barriers = 0
        self.warps = [Warp(self, number) for number in range(kernel.threads // LANES)]

    @property
    def now(self):
        """A number for what is written between two barriers."""
        return (self.number << 32) + self.barriers

    def go_on(self, most=None):
        """Each warp to its next barrier, or by as many instructions at most; gives whether all have ended."""
        for warp in self.warps:
            warp.go_on(most)
        states = {warp.state for warp in self.warps}
        if states == {"waits"}:
            self.barriers += 1
            for warp in self.warps:
                warp.state = "runs"
        if states == {"waits", "ended"}:
            raise Fault("some warps wait at a barrier for others that have ended")
        return states == {"ended"}


class Warp:
    """32 threads that go together."""

    def __init__(self, program, number):
        self.program, self.number = program, number
        self.threads = np.arange(LANES * number, LANES * (number + 1), dtype=np.uint32)
        self.registers = dict(program.kernel.unwritten)
        self.next = 0
        self.state = "runs"

    def go_on(self, most):
        kernel = self.program.kernel
        while self.state == "runs" and most != 0:
            self.next += 1
            try:
                kernel.instructions[self.next - 1](self)
            except Exception as error:
                error.add_note(f"{kernel.name}, program {self.program.number}: {kernel.lines[self.next - 1]}")
                raise
            most = most and most - 1


def launch(text, programs, shared, arguments, together=1, seed=0):
    """Run so many programs of a kernel on tensors, whose memory is all that it may touch, and whole numbers.

    They have so many bytes of shared memory each, and so many of them run at a time, in turns drawn from the seed.
    """
    kernel = kernel_of(text)
    tensors = [each for each in arguments if hasattr(each, "data_ptr") and each.numel()]
    params = [each.data_ptr() if hasattr(each, "data_ptr") else int(each) for each in arguments]
    params += [0] * (kernel.params - len(params))  # Triton's memory to work in: none of these kernels has any
    memory = Memory({each.data_ptr(): bytes_of(each) for each in tensors})
    waiting, running = list(range(programs))[::-1], []
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        while waiting or running:
            while waiting and len(running) < together:
                running.append(Program(kernel, waiting.pop(), programs, params, memory, shared))
            program = running[rng.integers(len(running))]
            if program.go_on(int(rng.integers(1, 200)) if together > 1 else None):
                running.remove(program)


def bytes_of(tensor):
    size = tensor.numel() * tensor.element_size()
    return np.frombuffer((ctypes.c_uint8 * size).from_address(tensor.data_ptr()), np.uint8)


# ---- what is run ----------------------------------------------------------------------------------


def alike(function):
    """What makes instructions of a function of operands that are all of one kind."""
    return lambda self, parts, operands, guard: self.computed(
        operands, guard, function, *[parts[-1]] * (len(operands) - 1)
    )


def shifted(function):
    """What makes instructions that shift."""

    def make(self, parts, operands, guard):
        own = np.dtype(KINDS[parts[-1]])

        def shift(a, by):
            if (by >= 8 * own.itemsize).any():
                raise Unknown("a shift by all bits, or more")
            return function(a, by.astype(own))

        return self.computed(operands, guard, shift, parts[-1], "u32")

    return make


class Kernel:
    """A kernel's instructions: functions of the warp that goes through them."""

    def __init__(self, text):
        self.name = re.search(r"\.entry (\w+)\(", text).group(1)
        self.threads = int(re.search(r"\.reqntid (\d+)", text).group(1))
        self.params = len(re.findall(r"^\s*\.param ", text, re.MULTILINE))
        body = text[text.index("\n{") : text.index("\n}")]
        # What stands in a register that nobody wrote to: nothing that would pass for a number.
        self.unwritten = {
            f"{name}{n}": np.frombuffer(b"\xa5" * LANES * np.dtype(KINDS[kind]).itemsize, KINDS[kind])
            for kind, name, count in re.findall(r"\.reg \.(\w+)\s+(%\w+)<(\d+)>", body)
            for n in range(int(count))
        }
        self.labels, self.lines = {}, []
        for each in body.splitlines():
            line = each.split("//")[0].strip()
            if line.endswith(":"):
                self.labels[line[:-1]] = len(self.lines)
            elif line and line[0] not in ".{":
                self.lines.append(line.rstrip(";"))
        self.instructions = [self.made(line) for line in self.lines]

    def made(self, line):
        """The function that does what the line says, in those threads whose guard holds."""
        guard, name, rest = re.match(r"(?:@(!?%p\d+)\s+)?([\w.]+)\s*(.*)$", line).groups()
        head, *parts = name.split(".")
        maker = getattr(self, f"make_{head}", None)
        if maker is None or not set(parts) <= KNOWN or (parts[-1:] == ["bf16"] and head not in BITS_ALONE):
            raise Unknown(line)
        operands = [each.strip() for each in re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,\s][^,]*", rest)]
        return maker(parts, operands, self.active(guard))

    @staticmethod
    def active(guard):
        """A function of the warp that gives which threads do something; none where all do."""
        if guard is None:
            return None
        register = guard.lstrip("!")
        return (lambda w: ~w.registers[register]) if guard.startswith("!") else lambda w: w.registers[register]

    # ---- operands ---------------------------------------------------------------------------------

    def read(self, operand, kind):
        """A function of the warp that gives the operand as 32 numbers of this kind."""
        dtype = np.dtype(KINDS[kind])
        if operand == "%tid.x":
            return lambda w: w.threads
        if operand in ("%ctaid.x", "%nctaid.x"):
            which = "number" if operand == "%ctaid.x" else "count"
            return lambda w: np.full(LANES, getattr(w.program, which), np.uint32)
        if operand.startswith("%"):
            if self.unwritten[operand].itemsize == dtype.itemsize:
                return lambda w: w.registers[operand].view(dtype)
            narrow = np.dtype(f"u{dtype.itemsize}")  # the lower bytes
            return lambda w: w.registers[operand].astype(narrow).view(dtype)
        numbers = np.full(LANES, self.number(operand, dtype))
        numbers.flags.writeable = False
        return lambda _: numbers

    @staticmethod
    def number(operand, dtype):
        """A number that stands in an instruction; shared memory begins at 0."""
        if operand[:2] in ("0f", "0d"):
            bits = int(operand[2:], 16)
        else:
            bits = 0 if operand == "global_smem" else int(operand.rstrip("U"), 0)
        if dtype == np.bool_:
            return np.bool_(bits)
        return np.array(bits % 2 ** (8 * dtype.itemsize), f"u{dtype.itemsize}").view(dtype)

    def write(self, operand, guard=None):
        """A function of the warp and 32 numbers that puts them into a register, in those threads that do something.

        Numbers narrower than the register are extended, whole ones by their sign if they have one.
        """
        if operand == "_":
            return lambda _, __: None
        dtype = self.unwritten[operand].dtype

        def put(w, numbers):
            if numbers.itemsize != dtype.itemsize:
                numbers = numbers.astype(f"i{dtype.itemsize}" if numbers.dtype.kind == "i" else dtype)
            numbers = numbers.view(dtype)
            if guard is not None:
                numbers = np.where(guard(w), numbers, w.registers[operand])
            w.registers[operand] = numbers

        return put

    def computed(self, operands, guard, function, *kinds):
        """An instruction that writes what a function makes of its other operands, which are of these kinds."""
        put = self.write(operands[0], guard)
        reads = [self.read(operand, kind) for operand, kind in zip(operands[1:], kinds, strict=True)]
        if len(reads) == 1:
            (a,) = reads
            return lambda w: put(w, function(a(w)))
        if len(reads) == 2:
            a, b = reads
            return lambda w: put(w, function(a(w), b(w)))
        a, b, c = reads
        return lambda w: put(w, function(a(w), b(w), c(w)))

    # ---- computing --------------------------------------------------------------------------------

    make_sub, make_neg, make_abs = map(alike, (np.subtract, np.negative, np.abs))
    make_and, make_or, make_xor, make_not = map(alike, (np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert))
    make_min, make_max = map(alike, (np.fmin, np.fmax))  # of a NaN and a number, the number
    make_popc = alike(lambda a: np.bitwise_count(a).astype(np.uint32))
    make_ex2 = alike(lambda a: np.exp2(a.astype(np.float64)).astype(np.float32))

    def make_add(self, parts, operands, guard):
        if parts[-1] == "bf16x2":
            return self.computed(operands, guard, lambda a, b: pair(*map(np.add, both(a), both(b))), "b32", "b32")
        return self.computed(operands, guard, np.add, parts[-1], parts[-1])

    def make_div(self, parts, operands, guard):
        def whole(a, b):  # rounded towards zero
            quotient = np.abs(a) // np.abs(b)
            return np.where((a < 0) != (b < 0), -quotient, quotient)

        kind = parts[-1]
        function = {"f": np.divide, "u": np.floor_divide, "s": whole}[kind[0]]
        return self.computed(operands, guard, function, kind, kind)

    def make_mul(self, parts, operands, guard):
        kind = parts[-1]
        wide = KINDS[twice(kind)] if "wide" in parts else KINDS[kind]
        return self.computed(operands, guard, lambda a, b: a.astype(wide) * b.astype(wide), kind, kind)

    def make_mad(self, parts, operands, guard):
        kind = parts[-1]
        total = twice(kind) if "wide" in parts else kind
        wide = KINDS[total]
        return self.computed(operands, guard, lambda a, b, c: a.astype(wide) * b.astype(wide) + c, kind, kind, total)

    def make_fma(self, parts, operands, guard):
        kind = parts[-1]
        wide, own = (np.float64 if kind == "f32" else np.longdouble), KINDS[kind]
        return self.computed(operands, guard, lambda a, b, c: (a.astype(wide) * b + c).astype(own), kind, kind, kind)

    make_shl, make_shr = map(shifted, (np.left_shift, np.right_shift))

    def make_bfe(self, parts, operands, guard):
        """Bits [begin, begin + length), as a number, signed or not."""
        signed = parts[-1] == "s32"

        def extracted(a, begin, length):
            bits = (a.astype(np.int64) >> begin) & ((np.int64(1) << length.astype(np.int64)) - 1)
            negative = signed & (bits >> np.maximum(length.astype(np.int64) - 1, 0) & 1 > 0)
            return (bits - np.where(negative, np.int64(1) << length.astype(np.int64), 0)).astype(np.int32)

        return self.computed(operands, guard, extracted, "u32", "u32", "u32")

    def make_prmt(self, _, operands, guard):
        """Four of the eight bytes of two numbers, as the third says, by four bits each."""

        def permuted(a, b, selector):
            eight = a.astype(np.uint64) | b.astype(np.uint64) << np.uint64(32)
            found = np.zeros(LANES, np.uint64)
            for n in range(4):
                which = selector.astype(np.uint64) >> np.uint64(4 * n) & np.uint64(15)
                if (which > 7).any():
                    raise Unknown("prmt that repeats signs")
                found |= (eight >> which * np.uint64(8) & np.uint64(255)) << np.uint64(8 * n)
            return found.astype(np.uint32)

        return self.computed(operands, guard, permuted, "u32", "u32", "u32")

    def make_selp(self, parts, operands, guard):
        kind = parts[-1]
        return self.computed(operands, guard, lambda a, b, p: np.where(p, a, b), kind, kind, "pred")

    def make_setp(self, parts, operands, guard):
        compared, kind = parts[0], parts[-1]

        def unordered(a, b):  # at least one is no number
            return np.isnan(a) | np.isnan(b)

        plain = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater}
        plain |= {"ge": np.greater_equal, "num": lambda a, b: ~unordered(a, b)}
        function = plain[compared.removesuffix("u") if compared != "num" else compared]
        if kind[0] == "f" and compared == "ne":
            return self.computed(operands, guard, lambda a, b: (a != b) & ~unordered(a, b), kind, kind)
        if compared.endswith("u"):
            return self.computed(operands, guard, lambda a, b: function(a, b) | unordered(a, b), kind, kind)
        return self.computed(operands, guard, function, kind, kind)

    def make_cvt(self, parts, operands, guard):
        *_, into, kind = parts
        if into == "bf16x2":
            return self.computed(operands, guard, pair, kind, kind)
        if into == "bf16":
            function = to_bfloat16
        elif kind == "bf16":
            function = from_bfloat16
        else:
            function = methodcaller("astype", KINDS[into])
        return self.computed(operands, guard, function, kind)

    def make_mov(self, parts, operands, guard):
        """A number, or several out of one, or one of several, the lowest bits first."""
        into, source = operands
        kind = parts[-1]
        many = [each.strip() for each in (into + source).partition("{")[2].partition("}")[0].split(",")]
        bits = np.uint64(8 * np.dtype(KINDS[kind]).itemsize // len(many))
        narrow = f"b{bits}"
        if into.startswith("{"):
            read, puts = self.read(source, kind), [self.write(each, guard) for each in many]

            def unpack(w):
                whole = read(w).astype(np.uint64)
                for n, put in enumerate(puts):
                    put(w, (whole >> np.uint64(n) * bits).astype(KINDS[narrow]))

            return unpack
        if source.startswith("{"):
            reads, put = [self.read(each, narrow) for each in many], self.write(into, guard)

            def pack(w):
                numbers = [read(w).astype(np.uint64) << np.uint64(n) * bits for n, read in enumerate(reads)]
                put(w, np.bitwise_or.reduce(numbers).astype(KINDS[kind]))

            return pack
        return self.computed(operands, guard, lambda a: a, kind)

    # ---- going elsewhere, waiting, exchanging -----------------------------------------------------

    def make_bra(self, _, operands, guard):
        (label,) = operands

        def branch(w):
            active = ALL if guard is None else guard(w)
            if active.all() != active.any():
                raise Fault("a branch that the threads of one warp take differently")
            if active[0]:
                w.next = self.labels[label]

        return branch

    def make_ret(self, _parts, _operands, guard):
        def end(w):
            w.state = "ended"

        return self.by_all(guard, end)

    def make_bar(self, _parts, operands, guard):
        if operands != ["0"]:
            raise Unknown("a barrier of some threads, or beside another")

        def wait(w):
            w.state = "waits"

        return self.by_all(guard, wait)

    def make_shfl(self, parts, operands, guard):
        into, value, lane, last, mask = operands
        if (last, mask) != ("31", "-1"):
            raise Unknown("an exchange among some threads")
        put, read, given = self.write(into), self.read(value, parts[-1]), self.read(lane, "u32")
        own = np.arange(LANES, dtype=np.uint32) if "bfly" in parts else np.uint32(0)
        return self.by_all(guard, lambda w: put(w, read(w)[(own ^ given(w)) % LANES]))

    def make_redux(self, parts, operands, guard):
        into, value, mask = operands
        function = {"add": np.add, "min": np.minimum, "max": np.maximum}[parts[1]]
        put, read, those = self.write(into), self.read(value, parts[-1]), self.read(mask, "u32")

        def reduce(w):
            if (those(w) != 2**LANES - 1).any():
                raise Unknown("a sum of some threads")
            put(w, np.broadcast_to(function.reduce(read(w)), LANES))

        return self.by_all(guard, reduce)

    @staticmethod
    def by_all(guard, function):
        """What all threads of a warp do."""
        if guard is not None:
            raise Unknown("what all threads do is guarded")
        return function

    # ---- memory -----------------------------------------------------------------------------------

    def moved(self, parts, operands, guard):
        """What a load or store moves: the kind of item, registers, and a function of the warp.

        That gives the memory, which array of it, where each thread's items begin, and which threads do something.
        """
        dtype = np.dtype(KINDS[parts[-1]])
        where, names = operands if operands[0].startswith("[") else operands[::-1]
        names = [each.strip() for each in names.strip("{} ").split(",")]
        base, _, offset = where.strip("[] ").replace(" ", "").partition("+")
        shared = "shared" in parts
        read, offset = self.read(base, "u32" if shared else "u64"), np.uint64(int(offset or 0) % 2**64)

        def places(w):
            active = ALL if guard is None else guard(w)
            if not active.any():
                return None
            memory = w.program.shared if shared else w.program.memory
            addresses = (read(w).astype(np.uint64) + offset)[active]
            return memory, *memory.place(addresses, dtype.itemsize, dtype.itemsize * len(names)), active

        return dtype, names, places

    def make_ld(self, parts, operands, guard):
        if "param" in parts:
            number, own = int(operands[1].strip("[]").rpartition("_")[2]), np.dtype(KINDS[parts[-1]])
            put = self.write(operands[0])
            return lambda w: put(w, np.full(LANES, self.number(str(w.program.params[number]), own)))
        dtype, names, places = self.moved(parts, operands, guard)
        puts = [self.write(name, guard) for name in names]

        def load(w):
            if (found := places(w)) is None:
                return
            memory, which, at, active = found
            for n, put in enumerate(puts):
                numbers = np.zeros(LANES, dtype)
                numbers[active] = memory.read(w, which, dtype, at + n, active)
                put(w, numbers)

        return load

    def make_st(self, parts, operands, guard):
        _, names, places = self.moved(parts, operands, guard)
        reads = [self.read(name, parts[-1]) for name in names]

        def store(w):
            if (found := places(w)) is None:
                return
            memory, which, at, active = found
            for n, read in enumerate(reads):
                memory.write(w, which, at + n, read(w)[active], active)

        return store

    def make_atom(self, parts, operands, guard):
        if not {"global", "gpu", "relaxed", "add"} <= set(parts):
            raise Unknown(".".join(parts))
        dtype, names, places = self.moved(parts, operands[1:], guard)  # what was there before is never used
        reads = [self.read(name, parts[-1]) for name in names]

        def add(w):
            if (found := places(w)) is None:
                return
            memory, which, at, active = found
            if len(np.unique(at)) < len(at):
                raise Unknown("threads of a warp that add to the same number")
            numbers = memory.arrays[which].view(dtype)
            for n, read in enumerate(reads):
                before, change = numbers[at + n], read(w)[active]
                if parts[-1] == "bf16":
                    total = to_bfloat16(from_bfloat16(before) + from_bfloat16(change))
                else:
                    total = before + change
                memory.write(w, which, at + n, total, active)

        return add

    def matrices(self, parts, operands):
        """Of matrices of 8 x 8 halves: registers, and where in shared memory each thread's pairs of them are.

        The rows of the n-th begin at the addresses of threads 8 n to 8 n + 7; thread l has two halves of row l // 4.
        """
        if not {"sync", "aligned", "m8n8", "b16"} <= set(parts):
            raise Unknown(".".join(parts))
        where, names = operands if operands[0].startswith("[") else operands[::-1]
        names = [each.strip() for each in names.strip("{} ").split(",")]
        base, _, offset = where.strip("[] ").partition("+")
        read, offset = self.read(base, "u32"), np.uint64(int(offset or 0))
        lane = np.arange(LANES)

        def pairs(w):
            rows = read(w)[: 8 * len(names)].astype(np.uint64) + offset
            which, at = w.program.shared.place(rows, 4, 16)
            return w.program.shared, which, [at[8 * n + lane // 4] + lane % 4 for n in range(len(names))]

        return names, pairs

    def make_ldmatrix(self, parts, operands, guard):
        names, pairs = self.matrices(parts, operands)
        puts = [self.write(name) for name in names]

        def load(w):
            memory, which, places = pairs(w)
            for put, at in zip(puts, places, strict=True):
                put(w, memory.read(w, which, np.dtype(np.uint32), at, ALL))

        return self.by_all(guard, load)

    def make_stmatrix(self, parts, operands, guard):
        names, pairs = self.matrices(parts, operands)
        reads = [self.read(name, "b32") for name in names]

        def store(w):
            memory, which, places = pairs(w)
            for read, at in zip(reads, places, strict=True):
                memory.write(w, which, at, read(w), ALL)

        return self.by_all(guard, store)


kernel_of = cache(Kernel)


def twice(kind):
    """The kind of twice as many bits."""
    return f"{kind[0]}{2 * int(kind[1:])}"


def to_bfloat16(numbers):
    """The nearest, the even one of two that are as near, as uint16."""
    bits = numbers.view(np.uint32).astype(np.uint64)
    nearest = ((bits + np.uint64(0x7FFF) + (bits >> np.uint64(16) & np.uint64(1))) >> np.uint64(16)).astype(np.uint16)
    return np.where(np.isnan(numbers), np.uint16(0x7FFF), nearest)


def from_bfloat16(bits):
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def pair(upper, lower):
    """Two bfloat16 in one number."""
    return to_bfloat16(upper).astype(np.uint32) << np.uint32(16) | to_bfloat16(lower)


def both(bits):
    """The two of a pair, as float32."""
    return from_bfloat16(bits >> np.uint32(16)), from_bfloat16(bits & np.uint32(0xFFFF))

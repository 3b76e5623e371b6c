"""Every kernel of the GPU, compiled as training on one compiles it, by a stand-in for Triton's driver.

    python gpu_ahead.py CAPABILITY DTYPE D ...

The stand-in says which GPU there is, and runs nothing; all else is what happens on one: `GpuBackend` launches its
kernels with its own arguments, Triton compiles for these, and assembles machine code. Of each kernel that is compiled a
line of JSON tells what is in its machine code.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import triton
from cases import ARCHITECTURES, Case
from triton.backends.compiler import GPUTarget

from firth.backends.base import Rates
from firth.backends.gpu import GpuBackend
from firth.options import TrainingOptions

TOOLS = Path(triton.__file__).parent / "backends/nvidia/bin"


class Driver:
    """A GPU of a compute capability, such as 90. It loads all code, and does nothing when that is launched."""

    def __init__(self, capability):
        self.capability = capability
        self.loaded = []  # of each kernel its name, machine code and bytes of shared memory
        self.utils = SimpleNamespace(load_binary=self.load, get_device_properties=lambda _: {"max_shared_mem": 99_000})

    def load(self, name, binary, shared, _):
        self.loaded.append((name, binary, shared))
        return object(), object(), 1, 0, 1024  # the module, the function, registers, spills, threads

    def launcher_cls(self, *_):
        return lambda *_: None

    def get_current_target(self):
        return GPUTarget("cuda", self.capability, 32)

    def get_current_device(self):
        return 0

    def get_current_stream(self, _):
        return 0


def said_of(binary, shared):
    """What the tools say of machine code; `added` is how often numbers are added in which way, as {"F32x4": 8}."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernel.cubin")
        path.write_bytes(binary)
        usage, code = (
            subprocess.run([TOOLS / tool, *how, path], capture_output=True, text=True, check=True).stdout
            for tool, how in (("cuobjdump", ["--dump-resource-usage"]), ("nvdisasm", ["--print-code"]))
        )
    registers, stack, local = (int(re.search(rf"{what}:(\d+)", usage).group(1)) for what in ("REG", "STACK", "LOCAL"))
    return {
        "registers": registers,  # of a thread
        "spilled": max(stack, local),  # bytes of a thread
        "shared": shared,  # bytes that a program is launched with
        "barriers": len(re.findall(r"\bBAR\.", code)),
        "added": Counter(re.findall(r"\b(?:REDG?|ATOMG?)\.E\.ADD\.([\w]+)", code)),
        "swaps": len(re.findall(r"\bATOMG?\.E\.CAS", code)),  # loops, in place of additions
        # Of each loop that holds no other: its instructions, and how many of them read or write what was spilled.
        "loops": [(len(loop), sum("LDL" in each or "STL" in each for each in loop)) for loop in innermost(code)],
    }


def innermost(code):
    """The instructions of each loop that holds no other: from where a branch goes back to, to that branch."""
    instructions, labels, loops = [], {}, []
    for label, instruction in re.findall(r"^\s*(?:(\.L_\w+):|/\*[0-9a-f]{4,5}\*/\s+(.*?);)", code, re.MULTILINE):
        if label:
            labels[label] = len(instructions)
            continue
        instructions.append(instruction)
        back = re.search(r"\bBRA\b.*(\.L_\w+)", instruction)
        begin = labels.get(back.group(1)) if back else None
        if begin is not None and begin < len(instructions) - 1 and not any(begin <= first for first, _ in loops):
            loops.append((begin, len(instructions)))
    return [instructions[begin:end] for begin, end in loops]


def launch_all(options, D):
    """Everything that is launched for a text: chunks of all kinds, the first time and again, and what is held out."""
    backend = GpuBackend("cpu", programs=5, corpus_bytes=1 << 20)
    case = Case(1, 50, D, (25, 1, 0, 9, 30, 7), options, unknown=0.1, tokens_each=16)
    backend.start(case.start(), case.tables(), options)
    for chunk in case.chunks():
        backend.train(chunk, 0, Rates(0.0, 0.0, 0.0), held_out=True)
        backend._in_flight.clear()  # nobody computed these sums
    for epoch in range(2):
        for chunk in list(case.chunks())[:3]:
            backend.train(chunk, epoch, Rates(0.05, 0.0, 0.0))
            backend._in_flight.clear()


def main():
    capability, kept, *sizes = sys.argv[1:]
    driver = Driver(int(capability))
    triton.runtime.driver.set_active(driver)
    for D in map(int, sizes):
        for architecture in ARCHITECTURES:
            for loss in ("ns", "hs"):
                options = TrainingOptions(
                    architecture=architecture, loss=loss, vector_size=D, device="cuda", gpu_dtype=kept, held_out=0.2
                )
                before = len(driver.loaded)
                launch_all(options, D)
                for name, binary, shared in driver.loaded[before:]:
                    about = {"name": name, "D": D, "architecture": architecture, "loss": loss}
                    print(json.dumps(about | said_of(binary, shared)), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    np.seterr(all="ignore")
    main()

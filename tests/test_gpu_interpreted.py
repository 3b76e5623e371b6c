"""The GPU's kernels without a GPU: run by Triton's interpreter against the reference, and compiled ahead of time."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(
    not (find_spec("triton") and find_spec("torch")),
    reason="Triton or PyTorch is not installed (Triton is for Linux); pip install --group test installs them",
)


def run(*arguments, interpret):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent / "benchmarks"), *sys.path])}
    environment |= {"TRITON_INTERPRET": "1" if interpret else "0", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "draws_are_the_same_bits",
        "one_program_is_the_reference",
        "words_may_stand_twice",
        "wide_windows_take_several_steps",
        "chunks_may_be_cut_anywhere",
        "what_is_measured_moves_nothing",
        "the_corpus_stays_on_the_device_where_there_is_room",
        "programs_make_the_same_decisions_however_many",
        "additions_to_crowded_rows_are_scaled",
        "paths_in_one_program_are_the_reference",
        "paths_of_few_words",
        "paths_of_several_programs",
        "models_of_paths_go_on_elsewhere",
        "steps_are_rounded_without_bias",
        "steps_are_multiples_of_the_last_bit",
        "what_is_no_number_stays_none",
        "one_program_rounds_as_numpy_does",
        "bfloat16_learns_as_float32_does",
    ],
)
def test_under_the_interpreter(name):
    run(str(HERE / "gpu_cases.py"), name, interpret=True)


COMPILE = """
import re, subprocess, sys, tempfile
from pathlib import Path
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from firth.backends.gpu import kernel_for
from firth.options import TrainingOptions
from firth.weights import aligned_rows

POINTERS = dict(input="fp32", output="fp32", input_scales="fp32", output_scales="fp32", words="i32", low="i32",
                high="i32", rates="fp32", at_once="i32", outputs="i32", centres="i32", ends="i32", settings="i64",
                losses="fp64", examples="i64", paths="i32", lengths="i32", changes="fp32")
KINDS = [dict(architecture=architecture, loss=loss) for architecture in ("skipgram", "cbow") for loss in ("ns", "hs")]
ptxas = Path(triton.__file__).parent / "backends/nvidia/bin/ptxas"
FLOATS = dict.fromkeys(("input", "output"), "fp32")
HALVES = dict.fromkeys(("input", "output"), "bf16")
for D in (128, 300):
    for capability, kept in ((80, FLOATS), (90, FLOATS), (90, HALVES)):
        for kind in KINDS:
            width = aligned_rows(1, D).shape[1]
            kernel, shape, S, _ = kernel_for(TrainingOptions(**kind), width)
            known = dict(S=S, PADDED=8, C=shape.tile, MAIN=shape.main, TAIL=shape.tail, WIDTH=width, ATOMIC=True,
                         CORRECTED=True)
            known = {name: value for name, value in known.items() if name in kernel.arg_names}
            pointers = POINTERS | kept
            types = {name: "*" + pointers[name] if name in pointers else "i32" for name in kernel.arg_names}
            types |= dict.fromkeys(known, "constexpr")
            aligned = {(i,): [["tt.divisibility", 16]] for i, name in enumerate(kernel.arg_names) if name in POINTERS}
            source = ASTSource(fn=kernel, signature=types, constexprs=known, attrs=aligned)
            how = {"num_warps": shape.warps, "enable_fp_fusion": True}
            compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=how)
            assert len(compiled.asm["cubin"]) > 1000
            with tempfile.TemporaryDirectory() as folder:
                text = Path(folder, "kernel.ptx")
                text.write_text(compiled.asm["ptx"])
                name = f"--gpu-name=sm_{capability}" + ("a" if capability == 90 else "")
                command = [ptxas, "-v", text, name, "-o", Path(folder, "kernel.cubin")]
                told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
            spilled = int(re.search(r"(\\d+) bytes spill stores", told).group(1))
            registers = int(re.search(r"Used (\\d+) registers", told).group(1))
            barriers = len(re.findall(r"bar\\.sync", compiled.asm["ptx"]))
            print(kernel.__name__, D, kept["input"], registers, spilled, barriers)
            added = set(re.findall(r"(?:red|atom)\\.[a-z.]*add[a-z.]*\\.(v\\d)\\.(b?f\\d+)", compiled.asm["ptx"]))
            if kept is HALVES:
                assert added == ({("v4", "bf16")} if D == 128 else {("v8", "bf16"), ("v2", "bf16")}), added
                assert ".cas" not in compiled.asm["ptx"]
            elif capability == 90:
                assert ("v4", "f32") in added, added
"""


def test_kernels_compile_ahead_and_neither_spill_registers_nor_wait_at_barriers():
    """For Ampere and Hopper, by the assembler that Triton brings; as text is compiled, in a folder, with its source."""
    lines = run("-c", COMPILE, interpret=False).splitlines()
    assert len(lines) == 24
    for line in lines:
        name, _, kept, registers, spilled, barriers = line.split()
        assert 0 < int(registers) <= 255, line
        reads_others = (name, kept) == ("train_skipgram_tree", "bf16")  # what its other threads kept
        assert (int(spilled), int(barriers)) == (0, int(reads_others)), line

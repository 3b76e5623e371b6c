"""The GPU's kernels without a GPU: run by Triton's interpreter against the reference, and compiled as launched."""

from __future__ import annotations

import json
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
        "sums_end_one_to_a_lane",
        "scores_fill_several_packs_and_warps",
        "stores_in_place_of_additions_are_the_same_with_one_program",
        "chunks_may_be_cut_anywhere",
        "what_is_measured_moves_nothing",
        "the_corpus_stays_on_the_device_where_there_is_room",
        "programs_make_the_same_decisions_however_many",
        "additions_to_crowded_rows_are_scaled",
        "paths_in_one_program_are_the_reference",
        "paths_of_few_words",
        "paths_of_several_programs",
        "models_of_paths_go_on_elsewhere",
        "weights_without_bounds_are_seen",
        "steps_are_rounded_without_bias",
        "steps_are_multiples_of_the_last_bit",
        "what_is_no_number_stays_none",
        "one_program_rounds_as_numpy_does",
        "bfloat16_learns_as_float32_does",
    ],
)
def test_under_the_interpreter(name):
    run(str(HERE / "gpu_cases.py"), name, interpret=True)


PLANNING = ["decide_fates", "plan_windows"]
TRAINING = [f"train_{name}" for name in ("skipgram", "skipgram_tree", "cbow", "cbow_tree")]


@pytest.mark.parametrize(
    ("capability", "kept", "sizes"),
    [(80, "float32", (128,)), (90, "float32", (16, 128, 300, 1024)), (90, "bfloat16", (128, 300, 1024))],
)
def test_kernels_compile_for_gpus_as_they_are_launched(capability, kept, sizes):
    """For Ampere and Hopper, by the assembler that Triton brings; once each, however chunks differ.

    Nothing that loops over contexts is spilled from registers, and where one warp holds a row, nothing goes by way of
    shared memory and nobody waits at barriers.
    """
    printed = run(str(HERE / "gpu_ahead.py"), str(capability), kept, *map(str, sizes), interpret=False)
    found = [json.loads(line) for line in printed.splitlines()]
    expected = [*[("decide_fates", sizes[0])] * 2, *[("plan_windows", sizes[0])] * 2]
    expected += [(name, D) for D in sizes for name in TRAINING]
    assert sorted((each["name"], each["D"]) for each in found) == sorted(expected)
    for each in found:
        assert each["spilled"] <= 32, each  # addresses: eight numbers, used once a window
        assert all(spilled == 0 for _, spilled in each["loops"]), each
        assert each["swaps"] == 0, each
        if each["name"] in PLANNING:
            assert not each["added"], each
            continue
        assert each["loops"], each
        assert each["added"], each
        vector = {"float32": "F32x4", "bfloat16": "BF16x4" if each["D"] == 128 else "BF16x8"}[kept]
        assert (vector in each["added"]) == (capability >= 90 and each["D"] > 16), each  # older GPUs add one by one
        if each["D"] > 300:
            assert each["shared"] > 0, each  # several warps sum through it
        else:
            reads_others = (each["name"], kept) == ("train_skipgram_tree", "bfloat16")  # what its other threads kept
            assert (each["shared"], each["barriers"]) == (0, int(reads_others)), each

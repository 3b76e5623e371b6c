"""The GPU's kernels without a GPU: compiled as launched, and what was compiled run by an emulation."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import pytest
from gpu_runs import AROUND, COMPUTED, EMULATED, FAULTS, ROUNDED, errors_of, run

pytestmark = pytest.mark.skipif(
    not (find_spec("triton") and find_spec("torch")),
    reason="Triton or PyTorch is not installed (Triton is for Linux); pip install --group test installs them",
)

HOPPER = (*COMPUTED, *AROUND, *ROUNDED, *EMULATED, *FAULTS)
AMPERE = ("one_program_is_the_reference", "wide_windows_take_several_steps", "paths_in_one_program_are_the_reference")


LAUNCHED = [
    (80, "float32", (128,)),
    (90, "float32", (16, 128, 300, 1024)),
    (90, "bfloat16", (96, 128, 300, 1024)),
]


@pytest.fixture(scope="module")
def running():
    """What the programs find, two of them at a time, the longest first: each is one process that mostly compiles."""
    with ThreadPoolExecutor(2) as threads:
        found = {90: threads.submit(errors_of, ["gpu_emulated.py", "90"], *HOPPER)}
        for capability, kept, sizes in LAUNCHED:
            found[capability, kept] = threads.submit(run, "gpu_ahead.py", str(capability), kept, *map(str, sizes))
        found[80] = threads.submit(errors_of, ["gpu_emulated.py", "80"], *AMPERE)
        yield found


@pytest.mark.parametrize(("capability", "name"), [*[(90, name) for name in HOPPER], *[(80, name) for name in AMPERE]])
def test_what_is_compiled_is_the_reference(running, capability, name):
    error = running[capability].result()[name]
    assert error is None, error


PLANNING = ["decide_fates", "plan_windows"]
TRAINING = [f"train_{name}" for name in ("skipgram", "skipgram_tree", "cbow", "cbow_tree")]


@pytest.mark.parametrize(("capability", "kept", "sizes"), LAUNCHED)
def test_kernels_compile_for_gpus_as_they_are_launched(running, capability, kept, sizes):
    """For Ampere and Hopper, by the assembler that Triton brings; once each, however chunks differ.

    Nothing that loops over contexts is spilled from registers, and where one warp holds a row, nothing goes by way of
    shared memory and nobody waits at barriers.
    """
    found = [json.loads(line) for line in running[capability, kept].result().splitlines()]
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
        vector = {"float32": "F32x4", "bfloat16": "BF16x4" if each["D"] <= 128 else "BF16x8"}[kept]
        assert (vector in each["added"]) == (capability >= 90 and each["D"] > 16), each  # older GPUs add one by one
        if each["D"] > 300:
            assert each["shared"] > 0, each  # several warps sum through it
        else:
            reads_others = (each["name"], kept) == ("train_skipgram_tree", "bfloat16")  # what its other threads kept
            assert (each["shared"], each["barriers"]) == (0, int(reads_others)), each

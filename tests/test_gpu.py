"""The GPU's kernels on a GPU: what the interpreter's tests say, and a text learned. Not run on one so far."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from firth import Word2Vec
from firth.backends.devices import OLDEST_FOR_BFLOAT16
from firth.errors import BadOption
from firth.world import sentences

torch = pytest.importorskip("torch", reason="PyTorch is not installed; pip install --group test installs it")
with warnings.catch_warnings(record=True) as told:  # PyTorch warns of a driver that is too old
    warnings.simplefilter("always")
    there = torch.cuda.is_available()
    reasons = ["no GPU that PyTorch can use is here", *(str(each.message) for each in told)]
pytestmark = pytest.mark.skipif(not there, reason="; ".join(reasons))

HERE = Path(__file__).parent
OF_BFLOAT16 = (
    "one_program_rounds_as_numpy_does",
    "bfloat16_learns_as_float32_does",
    "weights_without_bounds_are_seen",
)


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
def test_on_the_gpu(name):
    if name in OF_BFLOAT16 and torch.cuda.get_device_capability() < OLDEST_FOR_BFLOAT16:
        pytest.skip(f"bfloat16 is not added atomically below compute capability {OLDEST_FOR_BFLOAT16}")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent / "benchmarks"), *sys.path])}
    subprocess.run([sys.executable, str(HERE / "gpu_cases.py"), name], check=True, env=environment)


@pytest.mark.parametrize("loss", ["ns", "hs"])
@pytest.mark.parametrize(("architecture", "within"), [("skipgram", 0.05), ("cbow", 0.15)])
def test_a_text_is_learned_as_on_the_cpu(architecture, within, loss):
    """Simulated, CBOW's loss is 7 to 10 % higher with 500 programs than with one (docs/performance.md)."""
    text = list(sentences(20_000))
    one, other = (
        Word2Vec(architecture=architecture, loss=loss, device=device, vector_size=32, held_out=0.1, epochs=3).fit(text)
        for device in ("cpu", "cuda")
    )
    assert other.state.held_out_losses[-1] == pytest.approx(one.state.held_out_losses[-1], rel=within)
    assert other.state.words == one.state.words


def test_a_model_too_large_for_the_gpu_is_refused():
    torch.cuda.set_per_process_memory_fraction(1e-6)
    try:
        with pytest.raises(BadOption, match=r"of the GPU's memory, and training needs more; .*lower vector_size"):
            Word2Vec(device="cuda", min_count=1, vector_size=4096).fit([[str(word) for word in range(2000)]])
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)

"""The GPU's kernels on a GPU: what the interpreter's tests say, and a text learned. Not run on one so far."""

from __future__ import annotations

import warnings

import pytest
from gpu_runs import AROUND, COMPUTED, OF_ANY_KIND, ROUNDED, errors_of

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


@pytest.mark.parametrize("name", [*COMPUTED, *OF_ANY_KIND, *AROUND, *ROUNDED])
def test_on_the_gpu(name):
    """In a process each, as one that fails may leave the GPU's memory as it is."""
    if name in ROUNDED and torch.cuda.get_device_capability() < OLDEST_FOR_BFLOAT16:
        pytest.skip(f"bfloat16 is not added atomically below compute capability {OLDEST_FOR_BFLOAT16}")
    errors = errors_of(["gpu_cases.py"], name, gpu=True)
    assert errors[name] is None, errors[name]


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

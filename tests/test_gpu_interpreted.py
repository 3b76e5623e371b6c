"""The GPU's kernels without a GPU: interpreted by Triton against the reference."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from gpu_runs import COMPUTED, errors_of

pytestmark = pytest.mark.skipif(
    not (find_spec("triton") and find_spec("torch")),
    reason="Triton or PyTorch is not installed (Triton is for Linux); pip install --group test installs them",
)


@pytest.fixture(scope="module")
def errors():
    return errors_of(["gpu_cases.py"], *COMPUTED, interpret=True)


@pytest.mark.parametrize("name", COMPUTED)
def test_under_the_interpreter(errors, name):
    assert errors[name] is None, errors[name]

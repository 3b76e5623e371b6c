"""The GPU's kernels without a GPU: interpreted by Triton against the reference."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from gpu_runs import COMPUTED, OF_ANY_KIND, errors_of

NAMES = (*COMPUTED, *OF_ANY_KIND)

pytestmark = pytest.mark.skipif(
    not (find_spec("triton") and find_spec("torch")),
    reason="Triton or PyTorch is not installed (Triton is for Linux); pip install --group test installs them",
)


@pytest.fixture(scope="module")
def errors():
    return errors_of(["gpu_cases.py"], *NAMES, interpret=True)


@pytest.mark.parametrize("name", NAMES)
def test_under_the_interpreter(errors, name):
    assert errors[name] is None, errors[name]

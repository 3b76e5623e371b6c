"""The reference's gradients are those that PyTorch derives by itself from the losses alone."""

from __future__ import annotations

import numpy as np
import pytest

from firth.backends import reference

torch = pytest.importorskip("torch", reason="PyTorch, which derives the gradients anew, is not installed")

C, V, D = 7, 11, 5


def leaves(*shapes):
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=shape) for shape in shapes]
    return arrays, [torch.tensor(each, requires_grad=True) for each in arrays]


def assert_same(step, loss, x, y):
    loss.backward()
    assert step.loss == pytest.approx(float(loss.detach()), rel=1e-12)
    np.testing.assert_allclose(step.inputs, x.grad.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(step.outputs, y.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_full_softmax():
    (x, y), (torch_x, torch_y) = leaves((C, D), (V, D))
    targets = np.array([0, 3, 3, 10, 1, 0, 0])
    loss = torch.nn.functional.cross_entropy(torch_x @ torch_y.T, torch.tensor(targets), reduction="sum")
    assert_same(reference.softmax(x, y, targets), loss, torch_x, torch_y)


def test_logistic_losses():
    (x, y), (torch_x, torch_y) = leaves((C, D), (V, D))
    labels = np.array([1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1.0])
    weights = np.array([1, 1, 0, 2, 1, 3, 1, 1, 0, 1, 1.0])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        torch_x @ torch_y.T, torch.tensor(labels).expand(C, V), torch.tensor(weights).expand(C, V), reduction="sum"
    )
    assert_same(reference.logistic(x, y, labels, weights), loss, torch_x, torch_y)

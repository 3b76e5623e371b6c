"""How likely a trained model finds words, given those around them.

p(word | x), x being an input vector or the mean of several, and y rows of the output matrix:

- full softmax: exp(x · y_word) / Σ_v exp(x · y_v), which is what was trained;
- hierarchical softmax: Π_n σ((1 - 2 code_n) x · y_n) over the inner nodes above the word, which is what was trained
  and sums to 1 over all words as it stands;
- negative sampling: as for full softmax, though it was not trained to this. What it learns is a log-ratio,
  x · y_word ≈ log (p(word | x) / (K · noise(word))) (Levy and Goldberg 2014), so these numbers rank words by how much
  likelier x makes them than they are as noise. gensim's `predict_output_word` gives the same.

Shapes: V words, D dimensions, X rows x, N examples (of an x and the word that it is to predict). Logarithms are
natural. Scores are float32 products; all sums of logarithms are float64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from firth.huffman import ROOT, Tree
from firth.weights import Floats

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

SCORES_AT_ONCE = 1 << 20  # of some x with all words: 8 MB in float64


def log_sigmoid(z: Reals) -> Reals:
    """Log σ(z) = -log(1 + e^-z), without overflow."""
    return -np.logaddexp(0.0, -z)


def log_normaliser(scores: Reals) -> Reals:
    """Log Σ_v e^score_v of each row of (X, V), without overflow: float64 (X, 1)."""
    highest = scores.max(axis=1, keepdims=True)
    return np.asarray(highest + np.log(np.exp(scores - highest).sum(axis=1, keepdims=True)))


def log_probabilities(x: Floats, output: Floats, tree: Tree | None) -> Reals:
    """Log p of each word given each of x (X, D): float64 (X, V). With a `tree`, `output` has its nodes' vectors."""
    scores = (x @ output.T).astype(np.float64)
    return np.asarray(scores - log_normaliser(scores)) if tree is None else _down_the_tree(scores, tree)


def log_likelihoods(x: Floats, x_of: Ints, targets: Ints, output: Floats, tree: Tree | None) -> Reals:
    """Log p(target | its x) of each example: float64 (N,), of x (X, D), its row x_of (N,), and targets (N,)."""
    if tree is not None:
        return _up_the_tree(x, x_of, targets, output, tree)
    normalisers = np.empty((len(x), 1))
    at_once = max(1, SCORES_AT_ONCE // len(output))
    for first in range(0, len(x), at_once):
        some = slice(first, first + at_once)
        normalisers[some] = log_normaliser((x[some] @ output.T).astype(np.float64))
    return np.asarray(np.einsum("nd,nd->n", x[x_of], output[targets]) - normalisers[x_of, 0])


def _up_the_tree(x: Floats, x_of: Ints, targets: Ints, output: Floats, tree: Tree) -> Reals:
    """All examples climb from their target one node at a time: only the nodes above it are computed with."""
    V = (len(tree) + 1) // 2
    found = np.zeros(len(targets))
    entries = tree[targets]
    climbing = np.flatnonzero(entries != ROOT)
    while len(climbing):
        nodes, codes = entries[climbing] >> 1, entries[climbing] & 1
        scores = np.einsum("nd,nd->n", x[x_of[climbing]], output[nodes])
        found[climbing] += log_sigmoid((1 - 2 * codes) * scores.astype(np.float64))
        entries[climbing] = tree[V + nodes]
        climbing = climbing[entries[climbing] != ROOT]
    return found


def _down_the_tree(scores: Reals, tree: Tree) -> Reals:
    """Log p of each word, level by level from the scores of the nodes, both (X, V); the last score is no node's."""
    V = scores.shape[1]
    reached = np.zeros_like(scores)  # log p of getting to each inner node
    if V == 1:
        return reached
    words, nodes = tree[:V], tree[V:]
    for level in _levels(nodes):
        reached[:, level] = _one_step_down(reached, scores, nodes[level])
    return _one_step_down(reached, scores, words)


def _one_step_down(reached: Reals, scores: Reals, entries: Tree) -> Reals:
    """Log p of getting to the children with these entries in the tree."""
    parents, codes = entries >> 1, entries & 1
    return np.asarray(reached[:, parents] + log_sigmoid((1 - 2 * codes) * scores[:, parents]))


def _levels(nodes: Tree) -> list[Ints]:
    """The inner nodes at each depth below the root, given the entries of all."""
    parents = np.maximum(nodes >> 1, 0)  # the root stands as its own
    depths = np.zeros(len(nodes), np.int64)
    ancestors = np.arange(len(nodes))
    while ancestors.any():  # not all are at the root
        depths += ancestors != 0
        ancestors = parents[ancestors]
    order = np.argsort(depths, kind="stable")
    return np.split(order, np.searchsorted(depths[order], np.arange(1, depths.max() + 1)))[1:]

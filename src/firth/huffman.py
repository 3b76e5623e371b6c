"""Huffman trees: short paths to frequent words, for hierarchical softmax.

The V words are leaves; V - 1 inner nodes join two nodes each. A tree is one int32 array (2V - 1,): the entry of word w
stands at w, that of inner node n at V + n, and each is `2 · parent + code`, `parent` being an inner node and `code` 0
or 1, which of its two children this is. Inner nodes are numbered by falling count, so that the root is 0 and those met
often come first; the root's own entry is -1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firth.errors import BadOption

Tree = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]

LONGEST_PATH = 64  # as many codes as a word of the machine has bits
MOST_WORDS = 2**30  # whose entries fit int32
ROOT = -1


class Path(NamedTuple):
    """The way from a word up to the root: inner nodes int64 (L,), and which child of each it comes from."""

    nodes: Ints
    codes: Ints


def huffman_tree(counts: Ints) -> Tree:
    """The tree whose sum of count · path length is the least possible (Huffman 1952), for falling counts (V,).

    Counts of 0 stand as 1. Where a word and an inner node count alike the word is joined first, which keeps the longest
    path short. Takes time in proportion to V: words wait in one queue, inner nodes, made by rising count, in another
    (van Leeuwen 1976). Raises `BadOption` for counts that do not fall, and for counts so unlike that a path has more
    than 64 nodes.
    """
    from firth.huffman_kernels import join, longest_path  # compiled code loads at use

    V = len(counts)
    if V > MOST_WORDS:
        raise BadOption(f"hierarchical softmax takes {MOST_WORDS:,} words at most, got {V:,}; use loss='ns'")
    rising = np.flatnonzero(np.diff(counts) > 0)
    if len(rising):
        before, after = (int(counts[rising[0] + each]) for each in (0, 1))
        raise BadOption(f"counts must fall from word to word, got {before:,} before {after:,}; sort the words by them")
    tree = np.full(2 * V - 1, ROOT, np.int32)
    join(np.maximum(counts, 1).astype(np.float64), np.empty(V, np.float64), tree)
    longest = int(longest_path(tree, np.zeros(max(V - 1, 1), np.int64)))
    if longest > LONGEST_PATH:
        raise BadOption(
            f"the Huffman tree of these counts has paths of {longest} nodes, hierarchical softmax takes "
            f"{LONGEST_PATH} at most; raise min_count, or use loss='ns'"
        )
    return tree


def path(tree: Tree, word: int) -> Path:
    """The path from a word to the root; without nodes where it is the only word."""
    V = (len(tree) + 1) // 2
    nodes, codes = [], []
    entry = int(tree[word])
    while entry != ROOT:
        nodes.append(entry >> 1)
        codes.append(entry & 1)
        entry = int(tree[V + nodes[-1]])
    return Path(np.array(nodes, np.int64), np.array(codes, np.int64))


def shares_of_nodes(tree: Tree, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How much of the words' shares, float64 (V,), lies below each inner node: all below the root.

    Gives float64 (V,), a number for each row of the output matrix, the last of which is no node's.
    """
    V = len(shares)
    below = np.zeros(V)
    entry = tree[:V]
    while (there := entry != ROOT).any():
        below += np.bincount(entry[there] >> 1, shares[there], V)
        entry = np.where(there, tree[V + (entry >> 1)], ROOT)
    return below


def tree_paths(tree: Tree) -> npt.NDArray[np.int32]:
    """The paths of all words: int32 (V, L), each entry 2 · node + code, ROOT behind a path's end.

    It takes less memory than the weights: L, the longest path, is some 20 to 30.
    """
    V = (len(tree) + 1) // 2
    steps, entry = [], tree[:V]
    while (entry != ROOT).any():
        steps.append(entry)
        entry = np.where(entry == ROOT, ROOT, tree[V + (entry >> 1)])
    return np.stack(steps, axis=1) if steps else np.empty((V, 0), np.int32)

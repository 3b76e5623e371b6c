"""Huffman trees cost the least possible, and their paths end at the root."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth.errors import BadOption
from firth.huffman import huffman_tree, path, tree_paths


def textbook_cost(counts):
    """The least sum of count · code length: the sum of all joins, the two lightest each time, from a heap."""
    heap = sorted(counts)
    cost = 0
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        cost += joined
        heapq.heappush(heap, joined)
    return cost


def falling(counts):
    return np.array(sorted(counts, reverse=True), np.int64)


@settings(max_examples=200, deadline=None)
@given(counts=st.lists(st.integers(1, 10**6) | st.integers(1, 5), min_size=1, max_size=60).map(falling))
def test_the_weighted_length_of_the_codes_is_the_textbooks(counts):
    tree = huffman_tree(counts)
    paths = [path(tree, word) for word in range(len(counts))]
    assert sum(count * len(nodes) for count, (nodes, _) in zip(counts.tolist(), paths, strict=True)) == textbook_cost(
        counts.tolist()
    )


@settings(max_examples=100, deadline=None)
@given(counts=st.lists(st.integers(1, 1000), min_size=2, max_size=60).map(falling))
def test_no_code_begins_another_and_every_path_ends_at_the_root(counts):
    tree = huffman_tree(counts)
    codes = set()
    for word in range(len(counts)):
        nodes, bits = path(tree, word)
        assert nodes[-1] == 0
        assert len(set(nodes.tolist())) == len(nodes)
        assert 0 <= nodes.min() <= nodes.max() <= len(counts) - 2
        codes.add("".join(map(str, reversed(bits.tolist()))))
    assert len(codes) == len(counts)
    assert not any(a != b and b.startswith(a) for a in codes for b in codes)
    assert sum(2.0 ** -len(code) for code in codes) == 1.0


def test_inner_nodes_are_numbered_by_falling_count():
    counts = falling(np.random.default_rng(1).zipf(1.5, 500).clip(max=10**6))
    tree, below = huffman_tree(counts), np.zeros(499, np.int64)
    for word, count in enumerate(counts.tolist()):
        below[path(tree, word).nodes] += count
    assert (np.diff(below) <= 0).all()
    assert below[0] == counts.sum()


def test_the_lengths_of_codes_rise_as_counts_fall():
    counts = falling(np.random.default_rng(2).zipf(1.3, 3000).clip(max=10**9))
    tree = huffman_tree(counts)
    lengths = np.array([len(path(tree, word).nodes) for word in range(3000)])
    rarer = np.diff(counts) < 0
    assert rarer.any()
    assert (np.diff(lengths)[rarer] >= 0).all()


def test_one_word_has_no_path_and_two_share_the_root():
    assert path(huffman_tree(np.array([7])), 0).nodes.tolist() == []
    tree = huffman_tree(np.array([7, 7]))
    assert [path(tree, word).nodes.tolist() for word in (0, 1)] == [[0], [0]]
    assert sorted(int(path(tree, word).codes[0]) for word in (0, 1)) == [0, 1]


@pytest.mark.parametrize("V", [1, 2, 3, 40])
def test_the_table_of_paths_says_what_each_path_says(V):
    tree = huffman_tree(np.sort(np.random.default_rng(5).integers(1, 999, V))[::-1].astype(np.int64))
    for word, entries in enumerate(tree_paths(tree)):
        nodes, codes = path(tree, word)
        assert [entry for entry in entries.tolist() if entry >= 0] == (2 * nodes + codes).tolist()
        assert (entries[len(nodes) :] == -1).all()


def test_words_that_never_occur_stand_as_one_occurrence():
    np.testing.assert_array_equal(huffman_tree(np.array([5, 1, 0, 0])), huffman_tree(np.array([5, 1, 1, 1])))


def test_counts_that_rise_are_refused():
    with pytest.raises(BadOption, match="counts must fall from word to word, got 2 before 5; sort the words by them"):
        huffman_tree(np.array([9, 2, 5]))


def test_paths_longer_than_a_word_of_the_machine_are_refused():
    fibonacci = [1, 1]
    while len(fibonacci) < 70:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    assert len(path(huffman_tree(falling(fibonacci[:65])), 64).nodes) == 64
    with pytest.raises(BadOption, match=r"paths of 69 nodes.* 64 at most; raise min_count"):
        huffman_tree(falling(fibonacci))

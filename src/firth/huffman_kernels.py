"""The compiled parts of `huffman.py`."""

from __future__ import annotations

from firth.jit import compiled, inlined


@inlined
def _lightest(counts, sums, word, node, made):
    """Whether the next word, rather than the next inner node of those `made`, has the least count."""
    if word < 0:
        return False
    return node >= made or counts[word] <= sums[node]


@compiled
def join(counts, sums, tree):
    """Fill the tree of words with falling `counts`, float64 (V,), all entries of which are -1.

    `sums`, float64 (V,), takes the counts of inner nodes, in the order in which they are made.
    """
    V = len(counts)
    word, node = V - 1, 0
    for made in range(V - 1):
        parent = V - 2 - made
        total = 0.0
        for code in range(2):
            if _lightest(counts, sums, word, node, made):
                total += counts[word]
                tree[word] = 2 * parent + code
                word -= 1
            else:
                total += sums[node]
                tree[V + V - 2 - node] = 2 * parent + code
                node += 1
        sums[made] = total


@compiled
def longest_path(tree, depths):
    """The number of nodes on the longest path; `depths` is int64 (V - 1,) to work in."""
    V = (len(tree) + 1) // 2
    longest = 0
    for node in range(1, V - 1):
        depths[node] = depths[tree[V + node] >> 1] + 1
    for word in range(V if V > 1 else 0):
        longest = max(longest, depths[tree[word] >> 1] + 1)
    return longest

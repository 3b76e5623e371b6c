"""Two words compared, and one described."""

from __future__ import annotations

import numpy as np
import pytest

from firth import WordVectors
from firth.errors import BadOption, UnknownWord

VECTORS = WordVectors(
    ["king", "queen", "nothing"], np.array([[3, 4], [0, 2], [0, 0]], np.float32), np.array([1234, 56, 7])
)


def test_two_words_have_a_product_a_cosine_and_a_distance():
    found = VECTORS.compare("king", "queen")
    assert found == pytest.approx((8, 0.8, np.sqrt(13)))
    assert found.cosine == VECTORS.similarity("king", "queen")
    assert str(found) == "cosine 0.8000, dot product 8.0000, Euclidean distance 3.6056"
    assert VECTORS.compare("king", "nothing") == (0, 0, 5)


def test_vectors_are_compared_like_words():
    vector = VECTORS["queen"].copy()
    assert VECTORS.compare("king", vector) == VECTORS.compare("king", "queen")
    with pytest.raises(BadOption, match="a vector of 2 finite numbers"):
        VECTORS.compare("king", np.zeros(3))


def test_a_word_is_described_by_count_rank_norm_and_neighbours():
    found = VECTORS.describe("queen", topn=1)
    assert (found.word, found.rank, found.words, found.count, found.norm) == ("queen", 2, 3, 56, 2.0)
    assert found.neighbours == (("king", pytest.approx(0.8)),)
    lines = str(found).splitlines()
    assert lines == ["queen: word 2 of 3, occurs 56 times; length of its vector 2.0000", "0.8000  king"]


def test_counts_may_be_unknown():
    found = WordVectors(VECTORS.words, VECTORS.matrix).describe("king")
    assert found.count is None
    assert str(found).startswith("king: word 1 of 3; length of its vector 5.0000\n")


def test_unknown_words_are_told():
    for ask in (lambda: VECTORS.compare("king", "zebra"), lambda: VECTORS.describe("zebra")):
        with pytest.raises(UnknownWord, match="zebra"):
            ask()

"""Words and their vectors: look up, compare, find the nearest, solve analogies, edit, store in fewer bytes.

    vectors = WordVectors.load("model.safetensors")
    vectors.most_similar("king", topn=3)
    vectors.analogy("man", "king", "woman")    # man is to king as woman is to ?

V is the number of words, D the size of a vector, Q a number of queries.
"""

from __future__ import annotations

from firth.vectors.given import Matrix, Query, Vector
from firth.vectors.neighbours import Neighbours
from firth.vectors.subwords import SubwordVectors, vectors_of
from firth.vectors.word_vectors import WordVectors, word_vectors

__all__ = ["Matrix", "Neighbours", "Query", "SubwordVectors", "Vector", "WordVectors", "vectors_of", "word_vectors"]

"""Real text in many scripts, with its case and punctuation: it trains, and can be queried."""

import os
from pathlib import Path

import numpy as np
import pytest

from firth import Word2Vec

CORPORA = os.environ.get("FIRTH_CORPORA")
RAW = sorted((Path(CORPORA) / "raw").glob("*.txt.xz")) if CORPORA else []


@pytest.mark.skipif(not RAW, reason="FIRTH_CORPORA names no folder with raw/*.txt.xz")
@pytest.mark.parametrize("path", RAW, ids=lambda path: path.stem)
def test_text_in_any_script_trains_and_answers(path):
    model = Word2Vec(vector_size=20, min_count=2, epochs=1, workers=2).fit(path, tokenizer="words", cache=False)
    vectors = model.vectors
    assert np.isfinite(vectors.matrix).all()
    assert not any(mark in word for word in vectors.words[:500] for mark in ' .,;:!?"()«»')
    asked = vectors.words[len(vectors) // 2]
    found = vectors.most_similar(asked, topn=5)
    assert len(found) == 5
    assert asked not in [word for word, _ in found]


@pytest.mark.skipif(not RAW, reason="FIRTH_CORPORA names no folder with raw/*.txt.xz")
def test_russian_words_find_their_like():
    path = next(path for path in RAW if path.name.startswith("ru"))
    vectors = Word2Vec(epochs=5, workers=2).fit(path, tokenizer="words", cache=False).vectors
    assert vectors.similarity("он", "она") > vectors.similarity("он", "дверь")

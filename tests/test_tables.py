"""Answers as tables."""

import importlib.util
import sys

import numpy as np
import pyarrow as pa
import pytest

import firth
from firth.errors import BadOption, MissingExtra

VECTORS = firth.WordVectors(["a", "b", "c"], np.array([[1, 0], [3, 4], [0, 1]]))


def test_answers_to_one_query_are_a_table_of_words_and_scores():
    table = firth.to_arrow(VECTORS.most_similar("a"))
    assert table.schema == pa.schema({"word": pa.string(), "score": pa.float64()})
    assert table.to_pylist() == [{"word": "b", "score": pytest.approx(0.6)}, {"word": "c", "score": 0}]
    assert firth.to_arrow([]).num_rows == 0


def test_vectors_are_no_answers():
    with pytest.raises(BadOption, match=r"got WordVectors\(3 words, vector_size=2\); to have vectors as a table, save"):
        firth.to_arrow(VECTORS)


def test_answers_to_many_queries_say_which():
    answers = VECTORS.most_similar_batch(["a", "c"], topn=1)
    named, numbered = firth.to_arrow(answers, ["a", "c"]), firth.to_arrow(answers)
    assert named.select(["query", "word"]).to_pylist() == [{"query": "a", "word": "b"}, {"query": "c", "word": "b"}]
    assert numbered.column("query").to_pylist() == [0, 1]
    assert firth.to_arrow([[], answers[0]], ["a", "c"]).column("query").to_pylist() == ["c"]
    assert firth.to_arrow([], []).column_names == ["query", "word", "score"]


@pytest.mark.parametrize(("answers", "queries"), [([[], []], ["a"]), ([[], []], "ab"), ([("b", 0.5)], ["a"])])
def test_names_that_do_not_fit_are_told(answers, queries):
    with pytest.raises(BadOption, match="queries"):
        firth.to_arrow(answers, queries)


@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="pandas is not installed")
def test_answers_are_a_data_frame_where_pandas_is_installed():
    frame = firth.to_pandas(VECTORS.most_similar("a"))
    assert frame["word"].tolist() == ["b", "c"]
    assert frame["score"].tolist() == pytest.approx([0.6, 0])


def test_without_pandas_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"needs the package pandas.*pip install 'firth\[pandas\]'"):
        firth.to_pandas([])

"""Vectors as ONNX graphs: what onnxruntime makes of them is what `WordVectors` answers."""

from __future__ import annotations

import io
import json

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from firth.cli import app
from firth.errors import BadFile, BadOption, CannotWrite
from firth.formats import onnx as onnx_module
from firth.formats import read_vectors, recognised, write_vectors
from firth.formats.protobuf import Message, varint
from firth.vectors import WordVectors

DTYPES = onnx_module.DTYPES
UNKNOWN = "not among them"


def some_vectors(V=300, D=7):
    """With a zero vector, two that are alike, and lengths from small to large."""
    matrix = np.random.default_rng(0).standard_normal((V, D)) * np.logspace(-6, 3, V)[:, None]
    matrix[5], matrix[9] = 0, matrix[8]
    return WordVectors(["über", "漢字", "", "a b", *(f"w{row}" for row in range(4, V))], matrix)


def opened(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 0  # whatever it has to say
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def asked(session, queries, k):
    name = session.get_inputs()[0].name
    given = np.array(queries, object if name == "words" else np.int64)
    return session.run(None, {name: given, "k": np.array([k])})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("format", ["onnx", "onnx-ids"])
@pytest.mark.parametrize("k", [1, 10, 299, 5000])
def test_a_graph_answers_as_the_vectors_do(tmp_path, dtype, format, k):
    vectors = some_vectors()
    stored = vectors.astype(dtype)
    write_vectors(vectors, tmp_path / "v.onnx", format, dtype=dtype)
    onnx.checker.check_model(tmp_path / "v.onnx", full_check=True)
    rows = [0, 1, 2, 3, 5, 8, 9, 150, 299]
    words = [vectors.words[row] for row in rows]
    queries = rows if format == "onnx-ids" else words
    known, found, neighbours, scores = asked(opened(tmp_path / "v.onnx"), queries, k)
    assert known.all()
    assert found.tobytes() == stored[words].tobytes()
    assert neighbours.shape == scores.shape == (len(rows), min(k, len(vectors) - 1))
    for word, near, cosines in zip(words, neighbours, scores, strict=True):
        expected = stored.most_similar(word, topn=k)
        np.testing.assert_allclose(cosines, [score for _, score in expected], atol=2e-6)
        names = near.tolist() if format == "onnx" else [vectors.words[row] for row in near]
        exact = dict(expected)
        assert len(set(names)) == len(names)
        np.testing.assert_allclose([exact[name] for name in names], cosines, atol=2e-6)
        if word != "w5":  # to whom all are alike
            assert names[:10] == [name for name, _ in expected[:10]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_scores_come_in_the_order_of_the_rows(tmp_path, dtype):
    some_vectors().save(tmp_path / "v.onnx", dtype=dtype)
    _, _, neighbours, scores = asked(opened(tmp_path / "v.onnx"), ["w5", "w8"], 3)
    assert neighbours.tolist()[0] == ["über", "漢字", ""]
    assert scores[0].tolist() == [0, 0, 0]
    assert neighbours[1][0] == "w9"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("format", "queries", "nothing"), [("onnx", ["w7", UNKNOWN], ""), ("onnx-ids", [7, -1, 300, 2**62], -1)]
)
def test_what_is_unknown_is_told_and_harms_no_other(tmp_path, dtype, format, queries, nothing):
    vectors = some_vectors()
    write_vectors(vectors, tmp_path / "v.onnx", format, dtype=dtype)
    session = opened(tmp_path / "v.onnx")
    known, found, neighbours, scores = asked(session, queries, 299)
    alone = asked(session, queries[:1], 299)
    assert known.tolist() == [True] + [False] * (len(queries) - 1)
    assert not found[1:].any()
    assert not scores[1:].any()
    assert (neighbours[1:] == nothing).all()
    for part, whole in zip(alone, (known, found, neighbours, scores), strict=True):
        if part.dtype.kind == "f":
            np.testing.assert_allclose(part[0], whole[0], rtol=1e-5, atol=1e-6)
        else:
            assert part[0].tolist()[:10] == whole[0].tolist()[:10] if part.ndim > 1 else part[0] == whole[0]


@pytest.mark.parametrize("k", [0, -3])
def test_without_neighbours_words_are_looked_up_alone(tmp_path, k):
    vectors = some_vectors()
    vectors.save(tmp_path / "v.onnx")
    known, found, neighbours, scores = asked(opened(tmp_path / "v.onnx"), ["w7", UNKNOWN], k)
    assert known.tolist() == [True, False]
    assert found[0].tobytes() == vectors["w7"].tobytes()
    assert neighbours.shape == scores.shape == (2, 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_single_word_has_no_neighbours(tmp_path, dtype):
    WordVectors(["a"], [[1, 2]]).save(tmp_path / "v.onnx", dtype=dtype)
    known, found, neighbours, scores = asked(opened(tmp_path / "v.onnx"), ["a", "b"], 5)
    assert known.tolist() == [True, False]
    np.testing.assert_allclose(found, [[1, 2], [0, 0]], rtol=0.01)
    assert neighbours.shape == scores.shape == (2, 0)


def test_opening_a_graph_warns_of_nothing(tmp_path, capfd):
    for format in ("onnx", "onnx-ids"):
        for dtype in DTYPES:
            write_vectors(some_vectors(), tmp_path / "v.onnx", format, dtype=dtype)
            opened(tmp_path / "v.onnx")
    assert "[W:" not in capfd.readouterr().err


def test_rows_that_are_stored_so_already_are_written_as_they_stand(tmp_path):
    coded = some_vectors().astype("int8")
    coded.save(tmp_path / "v.onnx", dtype="int8")
    constants = {
        each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(tmp_path / "v.onnx").graph.initializer
    }
    assert constants["codes"].tobytes() == coded.rows.tensors["input"].tobytes()
    assert constants["scales"].tobytes() == coded.rows.tensors["input_scales"].tobytes()


def test_fewer_bytes_make_a_smaller_file(tmp_path):
    vectors = some_vectors(3000, D=100)
    sizes = {}
    for dtype in DTYPES:
        vectors.save(tmp_path / "v.onnx", dtype=dtype)
        sizes[dtype] = (tmp_path / "v.onnx").stat().st_size
    assert sizes["float32"] > 1.2e6 > sizes["float16"] > 0.6e6 > sizes["int8"]


def test_a_file_says_what_it_is(tmp_path):
    some_vectors().save(tmp_path / "v.onnx", dtype="int8")
    read = onnx.load(tmp_path / "v.onnx")
    assert read.producer_name == "firth"
    assert read.ir_version == onnx_module.IR_VERSION
    assert {each.domain: each.version for each in read.opset_import} == onnx_module.OPSETS
    assert read.doc_string.startswith("300 word vectors of 7 numbers, stored as int8. Inputs: words, string (N,); k")


def test_the_command_line_converts_models(tmp_path):
    vectors = some_vectors()
    vectors.save(tmp_path / "m.safetensors")
    target = tmp_path / "v.onnx"
    done = CliRunner().invoke(
        app, ["convert", str(tmp_path / "m.safetensors"), str(target), "--dtype", "int8", "--json"]
    )
    assert json.loads(done.stdout) == {"words": 300, "vector_size": 7, "target": str(target)}
    assert asked(opened(target), ["w7"], 1)[2][0][0] == vectors.astype("int8").most_similar("w7")[0][0]


# ---- what does not fit ------------------------------------------------------------------------------


def test_what_cannot_be_written_is_told(tmp_path, monkeypatch):
    vectors = some_vectors()
    with pytest.raises(BadOption, match="holds numbers of float32 or float16 or int8, got 'float64'"):
        vectors.save(tmp_path / "v.onnx", dtype="float64")
    with pytest.raises(BadOption, match="at least one word"):
        WordVectors([], np.empty((0, 3))).save(tmp_path / "v.onnx")
    with pytest.raises(BadOption, match="must stand once, got 'a' in rows 1 and 2"):
        WordVectors(["a", "a"], np.ones((2, 3)), check=False).save(tmp_path / "v.onnx")
    with pytest.raises(BadOption, match="UTF-8"):
        WordVectors(["a\udcff"], np.ones((1, 3))).save(tmp_path / "v.onnx")
    with pytest.raises(BadFile, match="finite numbers"):
        WordVectors(["a"], [[np.nan]], check=False).save(tmp_path / "v.onnx")
    with pytest.raises(CannotWrite, match="create the folder first"):
        vectors.save(tmp_path / "none" / "v.onnx")
    monkeypatch.setattr(onnx_module, "LARGEST", 1000)
    with pytest.raises(BadOption, match="an ONNX file holds less than 2; take dtype int8, or fewer words with limit"):
        vectors.save(tmp_path / "v.onnx")
    assert list(tmp_path.iterdir()) == []


def test_graphs_are_not_read(tmp_path):
    some_vectors().save(tmp_path / "v.onnx")
    some_vectors().save(tmp_path / "v.ids.onnx")
    assert [recognised(tmp_path / name).name for name in ("v.onnx", "v.ids.onnx")] == ["onnx", "onnx-ids"]
    with pytest.raises(
        BadOption, match=r"onnx is only written, got .*v\.onnx to read; read the vectors that it was made"
    ):
        read_vectors(tmp_path / "v.onnx")


# ---- Protocol Buffers -------------------------------------------------------------------------------


@given(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=300))
def test_messages_are_read_by_the_library_of_protocol_buffers(number, data):
    inner = Message().numbers(1, [number]).later(9, len(data), lambda file: file.write(data))
    message = Message().text(1, "é").number(3, number).texts(9, [data]).message(5, inner)
    file = io.BytesIO()
    message.write(file)
    assert len(file.getvalue()) == message.size
    read = onnx.AttributeProto.FromString(file.getvalue())
    assert (read.name, read.i, list(read.strings)) == ("é", number, [data])
    assert (list(read.t.dims), read.t.raw_data) == ([number], data)


@pytest.mark.parametrize(
    ("number", "data"),
    [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (150, b"\x96\x01"), (-1, b"\xff" * 9 + b"\x01")],
)
def test_whole_numbers_take_seven_bits_to_a_byte(number, data):
    assert varint(number) == data

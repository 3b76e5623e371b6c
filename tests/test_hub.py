"""Folders for the hub, their cards, and sending them: to a stand-in of the hub in a thread of this process."""

import base64
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from stand_ins import subword_vectors

from firth import Word2Vec, WordVectors
from firth.errors import BadFile, BadOption, CannotWrite, MissingExtra
from firth.formats.hub import model_card, push, write_hub_folder
from firth.formats.model import StoredModel, read_model

SCORES = {
    "sets": [
        {"name": name, "kind": kind, "results": [{"out_of_vocabulary": share, "measures": {measure: {"value": value}}}]}
        for name, kind, measure, value, share in (
            ("wordsim353", "similarity", "spearman", 0.7012, 0.25),
            ("google", "analogies", "accuracy", None, 1.0),
            ("flowers", "association", "effect size", 1.5, 0.0),
        )
    ]
}


@pytest.fixture
def stored():
    return StoredModel.of(
        ["the", "über"],
        np.ones((2, 4), np.float32),
        output=np.zeros((2, 4), np.float32),
        counts=np.array([9, 3]),
        options={"architecture": "skipgram", "epochs": 5},
        state={"epoch": 5, "losses": [2.5, 2.25], "corpus": {"tokens": 17_000_000, "sentences": 1000, "digest": "x"}},
    )


def hub():
    return pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed: pip install 'firth[hub]'")


# ---- the card -----------------------------------------------------------------------------------------


def test_a_card_tells_options_corpus_and_scores(stored):
    card = model_card(stored, "Vectors of the *Times*", scores=SCORES, corpus="a newspaper", language="en")
    assert "# Vectors of the *Times*" in card
    assert "2 word vectors of 4 numbers" in card
    assert "Trained on: a newspaper" in card
    assert "17,000,000 tokens in 1,000 sentences" in card
    assert "Mean loss of each epoch: 2.5000, 2.2500." in card
    assert "| wordsim353 | Spearman | 0.701 | 75.0% |" in card
    assert "| google | Accuracy | - | 0.0% |" in card
    assert "| `epochs` | 5 |" in card


def test_a_card_tells_whether_words_never_seen_have_vectors(stored):
    vectors, own = subword_vectors({"there": 9, "these": 7})
    with_n_grams = StoredModel.of_vectors(vectors, own=own)
    rows = len(vectors.gram_rows)
    told = f"Words never seen have vectors, too, by {rows} rows of character n-grams: `vectors.vector(word)`."
    assert told in model_card(with_n_grams, "a title")
    assert "by which words never seen have vectors, were left out" in model_card(
        with_n_grams, "a title", layout="model2vec"
    )
    assert "n-grams" not in model_card(stored, "a title")


def test_a_card_without_facts_leaves_them_out():
    card = model_card(StoredModel.of(["a"], np.ones((1, 2), np.float32)), "t")
    assert "Options" not in card
    assert "How good" not in card
    assert "model-index" not in card


def test_the_hub_s_own_library_understands_the_card(stored):
    card = hub().ModelCard(model_card(stored, 'A "title": odd', scores=SCORES, language="de", license="cc-by-4.0"))
    assert (card.data.library_name, card.data.language, card.data.license) == ("firth", "de", "cc-by-4.0")
    (result,) = card.data.eval_results
    assert (result.dataset_name, result.metric_type, result.metric_value) == ("wordsim353", "spearman", 0.7012)


# ---- the folder ---------------------------------------------------------------------------------------


def test_a_folder_holds_the_whole_model(tmp_path, stored):
    write_hub_folder(tmp_path / "out", stored, scores=SCORES)
    assert {each.name for each in (tmp_path / "out").iterdir()} == {"README.md", "model.safetensors", "config.json"}
    assert read_model(tmp_path / "out" / "model.safetensors").state == stored.state
    assert Word2Vec.load(tmp_path / "out" / "model.safetensors").options.epochs == 5
    assert json.loads((tmp_path / "out" / "config.json").read_text())["vector_size"] == 4
    assert WordVectors.load(tmp_path / "out").words == ("the", "über")


@pytest.mark.parametrize("layout", ["model2vec", "sentence-transformers"])
def test_layouts_of_other_libraries_have_a_card_too(tmp_path, stored, layout):
    write_hub_folder(tmp_path / "out", stored, layout=layout, tokenizer="words", dtype="float16", scores=SCORES)
    assert "wordsim353" in (tmp_path / "out" / "README.md").read_text()
    assert WordVectors.load(tmp_path / "out").words == ("the", "über")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"layout": "x"}, "layout must be one of firth, model2vec, sentence-transformers; got 'x'"),
        ({"dtype": "float16"}, "firth's own layout holds float32 alone, got float16"),
        ({"layout": "model2vec", "tokenizer": "x"}, "tokenizer must be one of whitespace, letters, words; got 'x'"),
    ],
)
def test_what_does_not_fit_is_not_written(tmp_path, stored, options, sentence):
    with pytest.raises(BadOption, match=sentence):
        write_hub_folder(tmp_path / "out", stored, **options)
    assert list(tmp_path.iterdir()) == []


# ---- sending it ---------------------------------------------------------------------------------------


class StandIn(BaseHTTPRequestHandler):
    """The four calls of the hub that sending a small folder takes; what it is sent stands in `server.got`."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, got = self.path, self.server.got
        got["token"] = self.headers.get("Authorization")
        if self.server.refusing:
            return self.answer({"error": "no such token"}, 403)
        if path == "/api/repos/create":
            got["created"] = json.loads(body)
            return self.answer({"url": f"{self.server.address}/someone/vectors"})
        if path == "/api/validate-yaml":
            return self.answer({"warnings": [], "errors": []})
        if "/preupload/" in path:
            files = [each["path"] for each in json.loads(body)["files"]]
            return self.answer(
                {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in files]}
            )
        if "/commit/" in path:
            lines = [json.loads(line) for line in body.splitlines()]
            got["message"] = lines[0]["value"]["summary"]
            got["files"] = {
                each["value"]["path"]: base64.b64decode(each["value"]["content"])
                for each in lines
                if each["key"] == "file"
            }
            return self.answer(
                {
                    "commitUrl": f"{self.server.address}/someone/vectors/commit/{'0' * 40}",
                    "commitOid": "0" * 40,
                    "success": True,
                }
            )
        return self.answer({"error": f"unknown {path}"}, 404)

    def do_GET(self):
        self.answer(*(({"error": "no such token"}, 403) if self.server.refusing else ({"id": "someone/vectors"}, 200)))

    def answer(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    hub()
    with ThreadingHTTPServer(("127.0.0.1", 0), StandIn) as running:
        running.got, running.refusing = {}, False
        running.address = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_folder_is_sent_whole_and_nothing_else(tmp_path, stored, server):
    write_hub_folder(tmp_path / "out", stored)
    (tmp_path / "out" / "secret.txt").write_text("mine")
    push(tmp_path / "out", "someone/vectors", private=True, token="t0ken", endpoint=server.address, message="First")
    assert server.got["token"] == "Bearer t0ken"
    assert server.got["created"]["name"] == "vectors"
    assert server.got["message"] == "First"
    assert server.got["files"].keys() == {"README.md", "model.safetensors", "config.json"}
    for name, data in server.got["files"].items():
        assert data == (tmp_path / "out" / name).read_bytes()


def test_a_hub_that_refuses_is_told(tmp_path, stored, server):
    server.refusing = True
    write_hub_folder(tmp_path / "out", stored)
    with pytest.raises(CannotWrite, match=r"(?s)did not take someone/vectors: .*403.*log in with `hf auth login`"):
        push(tmp_path / "out", "someone/vectors", token="t", endpoint=server.address)


def test_a_hub_that_is_not_there_is_told(tmp_path, stored):
    hub()
    write_hub_folder(tmp_path / "out", stored)
    with pytest.raises(CannotWrite, match="did not take someone/vectors"):
        push(tmp_path / "out", "someone/vectors", token="t", endpoint="http://127.0.0.1:1")


@pytest.mark.parametrize("name", ["a/b/c", "..", "-x"])
def test_a_name_that_is_none_is_told(tmp_path, stored, name):
    hub()
    write_hub_folder(tmp_path / "out", stored)
    with pytest.raises(CannotWrite, match="check the name"):
        push(tmp_path / "out", name, token="t", endpoint="http://127.0.0.1:1")


def test_only_folders_with_a_model_are_sent(tmp_path):
    hub()
    with pytest.raises(BadFile, match=r"no folder with a model\.safetensors"):
        push(tmp_path, "someone/vectors")


def test_without_the_extra_the_command_that_installs_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match=r"pip install 'firth\[hub\]'"):
        push(tmp_path, "someone/vectors")

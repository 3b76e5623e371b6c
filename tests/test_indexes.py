"""Indexes against exact search, with the libraries themselves; saved, opened, refused where they do not belong."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.bar import counting
from firth.errors import BadFile, BadOption, CannotWrite, FirthError, MissingExtra, MissingFile
from firth.gensim import KeyedVectors
from firth.indexes import GRAPHS, Graph
from firth.indexes import file as file_module
from firth.vectors import WordVectors
from firth.vectors import indexing as indexing_module

V, D = 2000, 33


def clustered(V=V, D=D, seed=0):
    """Vectors about some centres, of lengths that differ; one is zero."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((V // 20 + 1, D), np.float32)
    matrix = centres[generator.integers(0, len(centres), V)] + generator.standard_normal((V, D), np.float32)
    matrix *= generator.lognormal(size=(V, 1)).astype(np.float32)
    matrix[V // 3] = 0
    return matrix


def named(matrix, **others):
    return WordVectors([f"w{row}" for row in range(len(matrix))], matrix, **others)


def assert_alike(found, expected):
    """The same scores, to the last digits, in which sums of another order differ, and words whose scores they are."""
    assert len(found) == len(expected)
    np.testing.assert_allclose([score for _, score in found], [score for _, score in expected], atol=1e-6)
    assert {word: pytest.approx(score, abs=1e-6) for word, score in found} == dict(expected)


@pytest.fixture(params=GRAPHS)
def kind(request):
    module = GRAPHS[request.param].package.partition("-")[0]
    return pytest.importorskip(module) and request.param


@pytest.fixture(scope="module")
def built():
    """Vectors with an index of each kind asked for, built once, by one thread: the same graph each time."""
    vectors = named(clustered())

    def build(kind):
        if kind not in vectors._indexes:
            vectors.build_index(kind, threads=1)
        return vectors, vectors._indexes[kind]

    return build


# ---- answers ------------------------------------------------------------------------------------


def test_most_of_the_nearest_are_found_with_the_scores_of_exact_search(built, kind):
    vectors, index = built(kind)
    hits = 0
    for word in vectors.words[::20]:
        exact, found = vectors.most_similar(word), vectors.most_similar(word, index=kind)
        assert found == vectors.most_similar(word, index=index)
        assert len(found) == 10
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        scores = dict(vectors.most_similar(word, topn=V))
        assert all(score == scores[each] for each, score in found), "and the word asked for is no answer"
        hits += len(dict(found).keys() & dict(exact).keys())
    assert hits > 0.95 * 1000


def assert_nearly(found, exact):
    """The same answers, but for one that a graph may miss, which another machine may build otherwise."""
    assert len(found) == len(exact)
    assert len(set(found) & set(exact)) >= len(exact) - 1


def test_several_words_weights_and_vectors_go_by_the_index_as_well(built, kind):
    vectors, _ = built(kind)
    for positive, negative in ([["w1", "w2"], ["w3"]], [[("w4", 2.0), "w5"], [("w6", -0.5)]], [[vectors["w7"]], None]):
        exact = vectors.most_similar(positive, negative, topn=5)
        assert_nearly(vectors.most_similar(positive, negative, topn=5, index=kind), exact)
    assert_nearly(vectors.analogy("w1", "w2", "w3", topn=5, index=kind), vectors.analogy("w1", "w2", "w3", topn=5))
    assert_nearly(vectors.similar_by_word("w8", 3, index=kind), vectors.similar_by_word("w8", 3))
    assert vectors.similar_by_vector(vectors["w8"], 1, index=kind)[0][0] == "w8"


def test_a_batch_answers_as_one_query_after_another(built, kind):
    vectors, index = built(kind)
    queries = [*vectors.words[:9], vectors["w9"] * 3, np.zeros(D)]
    for count in (2, 11):
        found = vectors.most_similar_batch(queries[:count], 7, index=kind, threads=2)
        alone = [vectors.most_similar([query], topn=7, index=index) for query in queries[:count]]
        for some, others in zip(found, alone, strict=True):
            assert_alike(some, others)


@pytest.mark.parametrize("size", [1, 2, 5, 30])
def test_of_a_few_words_all_are_answered_whatever_topn(kind, size):
    vectors = named(clustered(size))
    vectors.build_index(kind, threads=1)
    for topn in (1, size, size + 9):
        assert_alike(vectors.most_similar("w0", topn=topn, index=kind), vectors.most_similar("w0", topn=topn))


def test_zero_vectors_are_answered_last_but_for_those_that_point_away(kind):
    vectors = named(np.array([[1, 0], [1, 0.1], [0, 0], [-1, 0]], np.float32))
    vectors.build_index(kind, threads=1)
    assert [word for word, _ in vectors.most_similar("w0", index=kind)] == ["w1", "w2", "w3"]
    assert vectors.most_similar("w2", index=kind) == vectors.most_similar("w2"), "all are as near to nothing"


@pytest.mark.parametrize("dtype", ["float16", "int8", "binary", "pq"])
def test_vectors_stored_in_fewer_bytes_can_be_indexed(dtype, tmp_path):
    pytest.importorskip("usearch")
    vectors = named(clustered(200)).astype(dtype)
    index = vectors.build_index("usearch", threads=1)
    assert index.recall() > 0.95
    index.save(tmp_path / "index")
    vectors.open_index(tmp_path / "index")
    found, exact = vectors.most_similar("w9", index="usearch"), vectors.most_similar("w9")  # other words, as near
    np.testing.assert_allclose([score for _, score in found], [score for _, score in exact], atol=1e-6)


# ---- recall -------------------------------------------------------------------------------------


class Half(Graph):
    """A graph that finds the words of even rows alone, all of them."""

    kind, package, extra = "usearch", "numpy", "none"

    def __init__(self, V, *_):
        self.rows = np.arange(0, V, 2)

    @classmethod
    def read(cls, *_):
        raise AssertionError

    def __len__(self):
        return 2 * len(self.rows)

    def add(self, *_):
        pass

    def near(self, targets, count, _):
        found = np.full((len(targets), count), -1)
        found[:, : len(self.rows)] = self.rows[:count]
        return found

    def write(self, path):
        Path(path).write_bytes(b"half")
        return 10

    nbytes = 0


@pytest.fixture
def half(monkeypatch):
    """Vectors whose graph finds about half of the nearest."""
    monkeypatch.setitem(GRAPHS, "usearch", Half)
    monkeypatch.setattr(indexing_module, "TWICE", 1000)
    vectors = named(clustered(100) + np.float32(3))
    return vectors, vectors.build_index("usearch")


def test_recall_is_the_share_of_the_nearest_found(half):
    vectors, index = half
    k, hits = 3, []
    for word in vectors.words:
        exact = [each for each, _ in vectors.most_similar(word, topn=k)]
        hits += [int(each[1:]) % 2 == 0 for each in exact]
    assert index.recall(k, 100) == pytest.approx(np.mean(hits))
    assert 0.3 < index.recall_when_built < 0.7
    assert f"recall@10={index.recall_when_built:.3f}" in repr(index)


def test_recall_is_drawn_by_its_seed(half):
    _, index = half
    assert index.recall(3, 10, seed=5) == index.recall(3, 10, seed=5)
    assert len({index.recall(3, 10, seed=seed) for seed in range(8)}) > 1


def test_a_word_as_near_as_the_last_is_as_good():
    pytest.importorskip("usearch")
    vectors = named(np.repeat(clustered(20), 10, axis=0))
    assert vectors.build_index("usearch", threads=1).recall(k=3) == 1


def test_recall_is_told_when_the_index_is_built(capsys):
    pytest.importorskip("usearch")
    vectors = named(clustered(50))
    index = vectors.build_index("usearch", threads=1, progress=True)
    told = capsys.readouterr().err
    assert f"the index finds {100 * index.recall_when_built:.1f} % of the 10 nearest" in told
    assert "50 of 50 words" in told
    vectors.build_index("usearch", threads=1)
    assert capsys.readouterr().err == "", "no terminal, so no bar"


def test_a_bar_is_taken_down_whatever_happens(capsys):
    bars = []

    def work():
        with counting("adding", 5, "things", asked=True) as bar:
            bars.append(bar)
            bar.move(2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert bars[0]._bars.live.is_started is False
    assert "2 of 5 things" in capsys.readouterr().err


# ---- files --------------------------------------------------------------------------------------


@pytest.fixture
def saved(built, kind, tmp_path):
    vectors, index = built(kind)
    vectors.save(tmp_path / "model.safetensors")
    index.save(tmp_path / f"model.{kind}", threads=1)
    return vectors, index, tmp_path / f"model.{kind}"


def test_an_index_is_opened_as_it_was_built(saved, kind):
    vectors, index, path = saved
    loaded = WordVectors.load(path.with_suffix(".safetensors"), index=kind, threads=1)
    opened = loaded._indexes[kind]
    assert loaded.norms is not None  # or queries would be brought to length 1 another way, and differ in a last digit
    assert (opened.kind, opened.options, opened.recall_when_built) == (kind, index.options, index.recall_when_built)
    assert repr(opened) == repr(index)
    for word in vectors.words[:50]:
        assert loaded.most_similar(word, index=kind) == vectors.most_similar(word, index=kind)
    assert opened.recall(threads=1) == index.recall(threads=1)
    assert_alike(loaded.most_similar("w5", topn=V, index=kind), vectors.most_similar("w5", topn=V))


def test_what_can_be_mapped_takes_no_memory(saved, kind):
    vectors, index, path = saved
    opened = vectors.open_index(path)
    assert index.nbytes > V * D * 2
    assert opened.nbytes < index.nbytes / 4 if kind != "hnswlib" else opened.nbytes == index.nbytes


def test_an_opened_index_is_saved_again_as_the_same_bytes(saved, tmp_path):
    vectors, _, path = saved
    vectors.open_index(path).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_norms_and_words_need_not_be_known_to_search_by_an_opened_index(saved, kind):
    vectors, _, path = saved
    loaded = WordVectors.load(path.with_suffix(".safetensors"), index=kind)
    found = loaded.similar_by_vector(vectors["w3"], index=kind)
    assert loaded._search.known_norms is None
    assert found == vectors.similar_by_vector(vectors["w3"], index=kind)


def test_the_library_opens_the_file_itself(saved, kind):
    _, _, path = saved
    if kind == "usearch":
        assert len(importlib.import_module("usearch.index").Index.restore(str(path), view=True)) == V
    elif kind == "faiss":
        assert importlib.import_module("faiss").read_index(str(path)).ntotal == V
    else:
        with pytest.raises(RuntimeError, match="corrupted"):  # it takes no byte more than its own
            importlib.import_module("hnswlib").Index(space="ip", dim=D).load_index(str(path))


def test_an_index_of_other_vectors_is_refused(saved, kind):
    vectors, _, path = saved
    changed = vectors.replaced(["w5"], [vectors["w5"] + 1])
    for others in (changed, vectors.astype("float16"), named(clustered(seed=1))):
        with pytest.raises(BadFile, match="an index of other vectors than these, or of these before they changed"):
            others.open_index(path)
    with pytest.raises(BadFile, match=f"of 2000 vectors of {D} numbers, these are 1999 of {D}; build it anew"):
        vectors.removed(["w5"]).open_index(path)
    assert vectors.renamed({"w5": "five"}).open_index(path).kind == kind, "rows are numbered, and these are the same"


@pytest.mark.parametrize("left", [0, 1, 15, 16, 100, 5000, -1])
def test_a_file_cut_short_is_told(saved, left):
    vectors, _, path = saved
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(BadFile, match="is cut short, or no index that firth wrote; build it anew"):
        vectors.open_index(path)


def test_other_files_are_no_indexes(saved, tmp_path):
    vectors, _, path = saved
    with pytest.raises(BadFile, match="no index that firth wrote"):
        vectors.open_index(tmp_path / "model.safetensors")
    with pytest.raises(MissingFile, match="check the path"):
        vectors.open_index(tmp_path / "nothing")
    vectors.save(tmp_path / "other.safetensors")
    with pytest.raises(MissingFile, match=r"has no index at .*; make one: firth index .* --kind usearch"):
        WordVectors.load(tmp_path / "other.safetensors", index="usearch")
    assert path.exists()


@given(place=st.integers(0, 1 << 30), byte=st.integers(1, 255))
def test_any_changed_byte_is_told(tmp_path_factory, place, byte):
    """usearch would end the process at many of them."""
    pytest.importorskip("usearch")
    vectors = named(clustered(20))
    path = tmp_path_factory.getbasetemp() / "changed.usearch"
    if not path.exists():
        vectors.build_index("usearch", threads=1).save(path)
        path.with_suffix(".kept").write_bytes(path.read_bytes())
    data = bytearray(path.with_suffix(".kept").read_bytes())
    place = place % len(data) if place % 2 else len(data) - 1 - place % 400  # the facts at the end, as often
    data[place] ^= byte
    path.write_bytes(data)
    with pytest.raises(BadFile):
        vectors.open_index(path)


def test_facts_that_mean_the_same_in_other_bytes_are_told(saved):
    vectors, _, path = saved
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"kind": ', b'"kind":\t'))
    with pytest.raises(BadFile, match="is damaged: its bytes are not those that were written"):
        vectors.open_index(path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format_version": 2}, "of version 2, this firth reads up to 1; install a newer firth"),
        ({"format_version": "x"}, "its facts make no sense"),
        ({"kind": "annoy"}, "kind must be one of usearch, faiss, hnswlib; got 'annoy'"),
        ({"options": {"connectivity": -1}}, "connectivity must be 2 or more"),
        ({"metric": "l2"}, "an index by 'l2', firth searches by cosine"),
        ({"words": 2001}, "an index of 2001 vectors"),
        ({"kind": "faiss"}, "faiss-cpu .* cannot read what faiss-cpu 1 wrote"),
    ],
)
def test_facts_at_odds_with_the_rest_are_told(built, tmp_path, monkeypatch, change, sentence):
    """Written with a digest that is right, so that they are read at all."""
    pytest.importorskip("usearch")
    pytest.importorskip("faiss")
    vectors, index = built("usearch")
    facts = (
        vars(index._facts) | {"library": "1"} | {name: it for name, it in change.items() if name != "format_version"}
    )
    monkeypatch.setattr(file_module, "FORMAT_VERSION", change.get("format_version", 1))
    monkeypatch.setattr(file_module, "asdict", lambda _: facts)
    index.save(tmp_path / "index")
    monkeypatch.undo()
    with pytest.raises(BadFile, match=sentence):
        vectors.open_index(tmp_path / "index")


def test_what_the_library_did_not_write_whole_is_told(half, tmp_path):
    _, index = half
    (tmp_path / "index").write_bytes(b"before")
    with pytest.raises(CannotWrite, match="4 of 10 bytes were written; free some space"):
        index.save(tmp_path / "index")
    assert (tmp_path / "index").read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["index"]


def test_a_folder_that_is_not_there_is_told(built, kind, tmp_path):
    _, index = built(kind)
    with pytest.raises(CannotWrite, match="create the folder first"):
        index.save(tmp_path / "no" / "index")


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edit",
    [
        lambda v: v.added(["new"], [np.ones(D)]),
        lambda v: v.removed(["w1"]),
        lambda v: v.replaced(["w1"], [np.ones(D)]),
        lambda v: v.sliced(0, 100),
        lambda v: v.selected(["w2", "w1"]),
        lambda v: v.astype("float16"),
        lambda v: v.normalized(),
        lambda v: v.merged(named(np.ones((1, D), np.float32)).renamed({"w0": "new"})),
    ],
)
def test_edited_vectors_ask_no_index_of_those_before(built, edit):
    pytest.importorskip("usearch")
    vectors, index = built("usearch")
    edited = edit(vectors)
    with pytest.raises(BadOption, match="the index is of other vectors than these; make one of these with build_index"):
        edited.most_similar("w2", index=index)
    with pytest.raises(BadOption, match=r"no index of kind usearch; make one: build_index\('usearch'\)"):
        edited.most_similar("w2", index="usearch")


def test_an_index_given_serves_the_same_vectors_under_other_names(built):
    pytest.importorskip("usearch")
    vectors, index = built("usearch")
    other = vectors.renamed({"w1": "w2", "w2": "w1"})
    assert_nearly(other.most_similar("w1", index=index), other.most_similar("w1"))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (lambda v, _: v.most_similar("w1", index="annoy"), "index must be one of usearch, faiss, hnswlib, .*'annoy'"),
        (lambda v, _: v.most_similar("w1", index=3), "or what build_index gave; got 3"),
        (lambda v, i: v.most_similar("w1", index=i, restrict=100), "restrict does not go with it; leave index out, or"),
        (lambda v, i: v.most_similar("w1", index=i, restrict=range(5, 9)), "restrict does not go with it"),
        (lambda v, i: v.most_similar_batch(["w1"] * 9, index=i, restrict=["w2"]), "restrict does not go with it"),
        (lambda v, i: v.analogy("w1", "w2", "w3", method="mul", index=i), "3CosMul is none; leave index out"),
        (lambda v, i: v.most_similar("w1", index=i, topn=0), "topn must be a whole number, 1 or more"),
        (lambda v, i: v.most_similar(np.ones(3), index=i), f"a vector of {D} finite numbers"),
        (lambda v, i: v.most_similar(np.full(D, np.nan), index=i), "finite numbers"),
        (lambda _, i: i.recall(k=0), "k must be a whole number, 1 or more"),
        (lambda _, i: i.recall(queries=0), "queries must be a whole number, 1 or more"),
        (lambda v, _: v.build_index("annoy"), "kind must be one of usearch, faiss, hnswlib; got 'annoy'"),
        (lambda v, _: v.build_index(connectivity=1), "connectivity must be 2 or more, got 1"),
        (lambda v, _: v.build_index(M=8), "unknown option 'M', here called connectivity"),
        (lambda v, _: v.build_index(threads=0), "threads must be a whole number, 1 or more"),
        (
            lambda *_: named(np.empty((0, 3), np.float32)).build_index(),
            "at least one word, and these vectors have none",
        ),
    ],
)
def test_what_an_index_cannot_do_is_told(built, query, sentence):
    pytest.importorskip("usearch")
    with pytest.raises(BadOption, match=sentence):
        query(*built("usearch"))


def test_numbers_that_are_not_finite_are_not_indexed(kind):
    matrix = clustered(20)
    matrix[4, 1] = np.nan
    with pytest.raises(BadFile, match=r"that of 'w4' \(row 4\)"):
        named(matrix, check=False).build_index(kind)


@pytest.mark.parametrize(
    ("kind", "module", "sentence"),
    [
        ("usearch", "usearch.index", r"needs the package usearch, .*; run: pip install 'firth\[ann\]'"),
        ("faiss", "faiss", r"needs the package faiss-cpu, .*; run: pip install 'firth\[ann\]'"),
        ("hnswlib", "hnswlib", r"needs the package hnswlib, .*; run: pip install 'firth\[hnswlib\]'"),
    ],
)
def test_without_a_library_the_command_that_installs_it_is_told(monkeypatch, kind, module, sentence):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=sentence):
        named(clustered(20)).build_index(kind)


def test_exact_search_loads_no_library():
    code = (
        "import numpy as np, sys; from firth import WordVectors\n"
        "WordVectors(['a', 'b'], np.eye(2)).most_similar('a')\n"
        "print(*{'usearch', 'faiss', 'hnswlib'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# ---- threads ------------------------------------------------------------------------------------

WATCHED = """
import sys, numpy as np
from firth import WordVectors
kind = sys.argv[1]
vectors = WordVectors([f"w{n}" for n in range(12000)], np.random.default_rng(0).standard_normal((12000, 33)))
batch = list(vectors.words[:3000])
vectors.most_similar_batch(batch[:9], threads=1)
vectors.sliced(0, 500).build_index(kind, threads=1)  # what is loaded is loaded, with what threads it starts
works = {
    "begin": lambda: None,
    "build by one": lambda: vectors.build_index(kind, threads=1, expansion_add=32),
    "search by one": lambda: vectors.most_similar_batch(batch, index=kind, threads=1),
    "search by three": lambda: vectors.most_similar_batch(batch, index=kind, threads=3),
}
for asked in map(str.strip, sys.stdin):
    works[asked]()
    print(asked, flush=True)
"""


def most_threads(process, asked, pool):
    """The most threads that another process has, beside those it had before, while it does what it is asked."""

    def threads():
        return len(list(Path(f"/proc/{process.pid}/task").iterdir()))

    before = most = threads()
    process.stdin.write(f"{asked}\n")
    process.stdin.flush()
    answer = pool.submit(process.stdout.readline)
    while not answer.done():
        most = max(most, threads())
    assert answer.result().strip() == asked
    return max(most, threads()) - before


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted by Linux's /proc")
def test_no_more_threads_work_than_are_asked_for(kind):
    """While it builds, a pool of one stands beside the main thread, which waits for it."""
    free = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": free}
    with subprocess.Popen([sys.executable, "-c", WATCHED, kind], **piped) as process, ThreadPoolExecutor(1) as pool:
        most_threads(process, "begin", pool)
        assert most_threads(process, "build by one", pool) <= 1
        assert most_threads(process, "search by one", pool) == 0
        seen = [most_threads(process, "search by three", pool) for _ in range(5)]  # faiss's stay after the first
        while not any(seen) and len(seen) < 100:  # threads that work for some milliseconds may be missed
            seen.append(most_threads(process, "search by three", pool))
        assert 0 < max(seen) <= 3


# ---- beside the rest ----------------------------------------------------------------------------


def test_gensim_s_programs_take_an_index_for_an_indexer(built, kind):
    vectors, index = built(kind)
    keyed = KeyedVectors.of(vectors)
    found = keyed.most_similar("w3", topn=5, indexer=index)
    expected = vectors.similar_by_vector(vectors["w3"], 5)
    assert [word for word, _ in found] == [word for word, _ in expected], "as gensim's indexers, with the word itself"


def test_a_sketch_and_an_index_do_not_disturb_each_other(tmp_path):
    pytest.importorskip("usearch")
    exact = named(clustered())
    vectors = exact.astype("binary", rescore=10)
    vectors.build_index("usearch", threads=1)
    assert vectors.most_similar("w5", index="usearch") == exact.most_similar("w5")
    with suppress(FirthError):
        assert len(vectors.most_similar_batch(["w1", "w2", "w3", "w4", "w5"], index="usearch")) == 5

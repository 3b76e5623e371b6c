"""From text to the encoded corpus, and its cache: the same words, ranks and tokens however it is read."""

import errno
import gc
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firth.corpus import EncodedCorpus, encoded_corpus, encoding, files, iterables, store, writer
from firth.errors import BadCorpus, CannotWrite, MissingFile
from firth.options import CorpusOptions

UNCACHED = CorpusOptions(cache=False)
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

WORDS = st.sampled_from(["a", "b", "c", "é", "漢字", "zz", "a longer one".replace(" ", "_")])
SENTENCES = st.lists(st.lists(WORDS, max_size=12), min_size=1, max_size=40).filter(any)


def as_text(sentences):
    return "".join(" ".join(sentence) + "\n" for sentence in sentences)


def plainly_encoded(sentences):
    """The words, their counts and the sentences as ranks, the slow way."""
    counts = Counter(word for sentence in sentences for word in sentence)
    words = sorted(counts, key=lambda word: (-counts[word], word.encode()))
    rank = {word: number for number, word in enumerate(words)}
    return words, [counts[word] for word in words], [[rank[word] for word in each] for each in sentences if each]


def as_plain(corpus):
    """The same, from the files of an encoded corpus, by nothing but pyarrow."""
    table = pa.ipc.open_file(str(corpus.folder / "corpus.arrow")).read_all()
    words = pa.ipc.open_file(str(corpus.folder / "words.arrow")).read_all()
    return words["word"].to_pylist(), words["count"].to_pylist(), table["tokens"].to_pylist()


def fails(*_, **__):
    raise AssertionError("this must not be called")


# ---- the same, however it is read --------------------------------------------------------------


@SAME_FOLDER
@given(
    SENTENCES,
    st.sampled_from([1, 3]),
    st.integers(1, 30),
    st.integers(1, 10),
    st.sampled_from(["lines", "lists", "strings", "callable"]),
)
def test_threads_blocks_and_batches_change_nothing(tmp_path, sentences, threads, block_bytes, batch_tokens, kind):
    path = tmp_path / "a.txt"
    path.write_text(as_text(sentences), encoding="utf-8")
    given_as = {"lines": path, "callable": path, "lists": sentences, "strings": [" ".join(each) for each in sentences]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "BLOCK_BYTES", block_bytes)
        patch.setattr(iterables, "SENTENCES_AT_ONCE", block_bytes)
        patch.setattr(writer, "BATCH_TOKENS", batch_tokens)
        tokenizer = str.split if kind == "callable" else None
        with encoded_corpus(given_as[kind], UNCACHED, tokenizer=tokenizer, threads=threads) as corpus:
            words, counts, lists = plainly_encoded(sentences)
            assert as_plain(corpus) == (words, counts, lists)
            assert corpus.words.to_pylist() == words
            assert corpus.counts.tolist() == counts
            assert corpus.total_tokens == sum(counts)
            assert corpus.sentences == len(lists)


@pytest.mark.parametrize("tokenizer", ["whitespace", "letters", "words"])
def test_lines_longer_than_a_block_give_the_same_corpus(tmp_path, monkeypatch, tokenizer):
    line = "It's the CAT’s 'own' mat; größer, ΟΔΟΣ\u3000x\x0by क्\u200dष! \t" * 5
    (tmp_path / "a.txt").write_text(f"{line}\n{line} end\r\n\n{line}", encoding="utf-8")
    options = CorpusOptions(cache=False, tokenizer=tokenizer)
    with encoded_corpus(tmp_path / "a.txt", options) as corpus:
        expected = as_plain(corpus)
    assert len(expected[2]) == 3
    for block_bytes in (1, 7, 100):
        monkeypatch.setattr(files, "BLOCK_BYTES", block_bytes)
        with encoded_corpus(tmp_path / "a.txt", options, threads=2) as corpus:
            assert as_plain(corpus) == expected


def test_a_block_of_nothing_but_bytes_to_ignore_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_bytes(b"\xff\xff a b\xff c\n\xff\n\xff d")
    monkeypatch.setattr(files, "BLOCK_BYTES", 1)
    with encoded_corpus(tmp_path / "a.txt", CorpusOptions(cache=False, encoding_errors="ignore")) as corpus:
        assert as_plain(corpus) == plainly_encoded([["a", "b", "c"], ["d"]])


def test_a_line_that_goes_on_ends_with_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BLOCK_BYTES", 4)
    for name in ("1", "2"):
        (tmp_path / name).write_text("a b c d e f g")
    with encoded_corpus([tmp_path / "1", tmp_path / "2"], UNCACHED) as corpus:
        assert as_plain(corpus) == plainly_encoded([list("abcdefg")] * 2)


def test_a_line_of_three_million_tokens_is_one_sentence(tmp_path):
    line = b"one two three " * 1_000_000
    (tmp_path / "a.txt").write_bytes(b"short one\n" + line + b"\nlast\n")
    with encoded_corpus(tmp_path / "a.txt", UNCACHED, threads=2) as corpus:
        table = pa.ipc.open_file(str(corpus.folder / "corpus.arrow")).read_all()
        assert table.schema.field("tokens").type == pa.large_list(pa.int32())
        lists = table["tokens"].combine_chunks()
        assert np.diff(lists.offsets.to_numpy()).tolist() == [2, 3_000_000, 1]
        assert corpus.words.to_pylist() == ["one", "three", "two", "last", "short"]
        assert np.array_equal(lists[1].values.to_numpy(), np.tile([0, 2, 1], 1_000_000))


def test_batches_hold_whole_sentences_and_few_tokens(monkeypatch):
    monkeypatch.setattr(writer, "BATCH_TOKENS", 10)
    sentences = [["a"] * length for length in (3, 7, 1, 25, 4, 4, 4, 10, 1)]
    with encoded_corpus(sentences) as corpus:
        reader = pa.ipc.open_file(str(corpus.folder / "corpus.arrow"))
        batches = [reader.get_batch(index).column(0).to_pylist() for index in range(reader.num_record_batches)]
    lengths = [[len(sentence) for sentence in batch] for batch in batches]
    assert lengths == [[3, 7], [1], [25], [4, 4], [4], [10], [1]]


def test_progress_tells_bytes_and_tokens_as_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BLOCK_BYTES", 100)
    for name in ("a", "b"):
        (tmp_path / name).write_text("some words here\n" * 50)
    told = []
    encoded_corpus(tmp_path, UNCACHED, progress=lambda *now: told.append(now)).close()
    assert told == sorted(told)
    assert told[-1] == (2 * 50 * 16, 2 * 50 * 16, 2 * 50 * 3)
    assert len(told) > 10


# ---- chunks ------------------------------------------------------------------------------------


@given(SENTENCES, st.integers(1, 9), st.integers(1, 9), st.integers(0, 30))
def test_chunks_cover_every_token_from_the_start_on_once(sentences, tokens_each, batch_tokens, start):
    ranks = plainly_encoded(sentences)[2]
    tokens = [rank for sentence in ranks for rank in sentence]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "BATCH_TOKENS", batch_tokens)
        corpus = encoded_corpus(sentences)
    with corpus:
        covered = []
        for chunk in corpus.chunks(tokens_each, start=start):
            assert 0 < chunk.last - chunk.first <= tokens_each
            assert chunk.position + chunk.first == start + len(covered)
            assert chunk.tokens.tolist() == tokens[chunk.position : chunk.position + len(chunk.tokens)]
            assert chunk.offsets[chunk.sentence] <= chunk.first < chunk.offsets[chunk.sentence + 1]
            assert chunk.offsets[0] == 0
            assert chunk.offsets[-1] == len(chunk.tokens)
            covered += chunk.tokens[chunk.first : chunk.last].tolist()
        assert covered == tokens[start:]


def test_chunks_may_carry_other_numbers():
    with encoded_corpus([["a", "b", "a"], ["c"]]) as corpus:
        (chunk,) = corpus.chunks(100, ids=np.array([7, -1, 2], np.int32))
        assert chunk.tokens.tolist() == [7, -1, 7, 2]


def test_a_corpus_can_be_read_though_its_files_are_removed_meanwhile():
    corpus = encoded_corpus([["a", "b"]])
    corpus.close()
    assert not corpus.folder.exists()
    assert [chunk.tokens.tolist() for chunk in corpus.chunks(9)] == [[0, 1]]


# ---- the cache ---------------------------------------------------------------------------------


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat\non the mat\n")
    return path


def test_the_same_text_is_read_but_once(cache, text, monkeypatch):
    first = encoded_corpus(text)
    monkeypatch.setattr(store, "encode", fails)
    second = encoded_corpus(str(text))
    assert second.folder == first.folder
    assert list(cache.iterdir()) == [first.folder]
    assert sorted(each.name for each in first.folder.iterdir()) == ["corpus.arrow", "words.arrow"]
    assert as_plain(second) == as_plain(first) == plainly_encoded([["the", "cat", "sat"], ["on", "the", "mat"]])
    assert second.size == sum(each.stat().st_size for each in first.folder.iterdir())
    second.close()
    assert first.folder.exists()


def test_what_would_be_encoded_otherwise_is_read_anew(cache, text):
    folders = {encoded_corpus(text).folder}
    folders.add(encoded_corpus(text, CorpusOptions(tokenizer="letters")).folder)
    folders.add(encoded_corpus(text, CorpusOptions(encoding_errors="ignore")).folder)
    folders.add(encoded_corpus([text, text]).folder)
    folders.add(encoded_corpus(text.rename(text.with_name("other.txt"))).folder)
    text.write_text("the cat sat\non the mat!\n")
    folders.add(encoded_corpus(text).folder)
    os.utime(text, ns=(1, 1))
    folders.add(encoded_corpus(text).folder)
    assert len(folders) == 7
    assert set(cache.iterdir()) == folders


def test_each_column_is_kept_apart(cache, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"x": ["a"], "y": ["b"]}), tmp_path / "a.parquet")
    words = [encoded_corpus(tmp_path / "a.parquet", CorpusOptions(column=each)).words.to_pylist() for each in "xy"]
    assert words == [["a"], ["b"]]


def test_without_cache_nothing_is_left(cache, text):
    with encoded_corpus(text, UNCACHED) as corpus:
        assert corpus.total_tokens == 6
        assert corpus.folder.exists()
    assert list(cache.iterdir()) == []


def test_what_is_in_the_cache_is_not_asked_without_it(cache, text):
    kept = encoded_corpus(text).folder
    with encoded_corpus(text, UNCACHED) as corpus:
        assert corpus.folder != kept
    assert kept.exists()


@pytest.mark.parametrize("tokenizer", [None, str.split])
def test_what_cannot_be_known_again_lasts_until_close(cache, text, tokenizer):
    with encoded_corpus(text if tokenizer else [["a", "b"]], tokenizer=tokenizer) as corpus:
        assert list(cache.iterdir()) == [corpus.folder]
    assert list(cache.iterdir()) == []
    corpus.close()


def test_what_cannot_be_known_again_goes_when_nobody_uses_it(cache):
    encoded_corpus([["a", "b"]])
    gc.collect()
    assert list(cache.iterdir()) == []


def test_an_encoded_corpus_is_given_back_as_it_is():
    with encoded_corpus([["a"]]) as corpus:
        assert encoded_corpus(corpus) is corpus


def emptied(path):
    path.write_bytes(b"")


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def replaced(path):
    path.write_bytes(b"something else" * 99)


def without_metadata(path):
    table = pa.ipc.open_file(pa.BufferReader(path.read_bytes())).read_all()
    table = table.rename_columns(["other"] * table.num_columns).replace_schema_metadata({"tokens": "many"})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize("name", ["corpus.arrow", "words.arrow"])
@pytest.mark.parametrize("broken", [os.unlink, emptied, halved, replaced, without_metadata])
def test_a_broken_entry_is_made_anew(cache, text, name, broken):
    first = encoded_corpus(text)
    expected, place = as_plain(first), first.folder
    broken(place / name)
    with pytest.raises(BadCorpus, match="does not hold a sound encoded corpus"):
        EncodedCorpus(place)
    again = encoded_corpus(text)
    assert again.folder == place
    assert as_plain(again) == expected
    assert list(cache.iterdir()) == [place]


def test_threads_that_race_for_an_entry_all_get_it(cache, text):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: encoded_corpus(text), range(24)))
    assert len({corpus.folder for corpus in found}) == 1
    assert all(corpus.total_tokens == 6 for corpus in found)
    assert list(cache.iterdir()) == [found[0].folder]


RACE = """
import sys
from firth.corpus import encoded_corpus
print("ready", flush=True)
sys.stdin.readline()
corpus = encoded_corpus(sys.argv[1])
print(corpus.folder, corpus.total_tokens, corpus.words[0])
"""


def test_processes_that_race_for_an_entry_all_get_it(cache, cache_of_the_session, tmp_path):
    (tmp_path / "a.txt").write_text("the cat sat on the mat\n" * 100_000)
    if (cache_of_the_session / "compiled").exists():
        cache.parent.mkdir(exist_ok=True)
        (cache.parent / "compiled").symlink_to(cache_of_the_session / "compiled")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    racing = [subprocess.Popen([sys.executable, "-c", RACE, tmp_path / "a.txt"], **pipes) for _ in range(2)]
    for each in racing:
        assert each.stdout.readline() == "ready\n"
    for each in racing:
        each.stdin.write("go\n")
        each.stdin.flush()
    told = {each.communicate(timeout=60)[0] for each in racing}
    (place,) = cache.iterdir()
    assert told == {f"{place} 600000 the\n"}


def test_an_entry_that_another_process_made_first_is_taken(cache, text, monkeypatch):
    usual = store.encode

    def overtaken(*given_arguments, **options):
        usual(*given_arguments, **options)
        monkeypatch.setattr(store, "encode", usual)
        made.append(encoded_corpus(text))

    made = []
    monkeypatch.setattr(store, "encode", overtaken)
    assert encoded_corpus(text).folder == made[0].folder
    assert list(cache.iterdir()) == [made[0].folder]


def test_the_corpora_longest_unused_go_when_room_is_short(cache, tmp_path, monkeypatch):
    folders = []
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("a b c\n")
        folders.append(encoded_corpus(tmp_path / f"{number}.txt").folder)
        os.utime(folders[-1], (number, number))
    encoded_corpus(tmp_path / "0.txt")  # now the latest used
    one = sum(each.stat().st_size for each in folders[0].iterdir())
    monkeypatch.setattr(store, "MOST_CACHED_BYTES", 2 * one)
    (tmp_path / "new.txt").write_text("a b c\n")
    new = encoded_corpus(tmp_path / "new.txt").folder
    assert set(cache.iterdir()) == {folders[0], new}


def test_a_corpus_larger_than_all_room_is_kept_while_it_is_the_latest(cache, text, monkeypatch):
    monkeypatch.setattr(store, "MOST_CACHED_BYTES", 1)
    assert encoded_corpus(text).folder.exists()


@pytest.mark.skipif(not store._namespace(), reason="this system does not tell its boots and containers apart")
def test_what_a_killed_process_left_goes_at_once_but_only_where_its_end_is_certain(cache, text):
    program = "import os, sys; from firth.corpus import store; from pathlib import Path\n"
    program += "print(store.new_folder(Path(sys.argv[1]), warn=True), flush=True); os.kill(os.getpid(), 9)"
    left = subprocess.run([sys.executable, "-c", program, cache], capture_output=True, text=True, check=False)
    assert left.returncode == -9
    dead = cache / os.path.basename(left.stdout.strip())  # noqa: PTH119
    assert dead.is_dir()
    elsewhere = dead.with_name(f"making-{'0' * 16}-{dead.name.split('-')[2]}-x")  # of another machine
    alive = store.new_folder(cache, warn=True)  # this process made it; and the dead one's went
    assert not dead.exists()
    elsewhere.mkdir()
    encoded_corpus(text)
    assert alive.is_dir()
    assert elsewhere.is_dir()


@pytest.mark.parametrize("kept", [True, False])
def test_abandoned_encodings_go_but_not_those_under_way(cache, text, kept):
    dead, alive = cache / "making-dead", cache / "making-alive"
    long_ago = time.time() - 2 * store.ABANDONED_SECONDS
    for folder in (dead, alive):
        folder.mkdir(parents=True)
        (folder / "ids").write_bytes(b"")
        os.utime(folder, (long_ago, long_ago))
    os.utime(dead / "ids", (long_ago, long_ago))
    encoded_corpus(text if kept else [["a", "b"]])
    assert not dead.exists()
    assert alive.exists()


def test_entries_that_vanish_while_old_ones_are_looked_for_do_no_harm(cache, text, monkeypatch):
    usual = store._files

    def vanishing(folder):
        found = usual(folder)
        for each in cache.iterdir():
            if each.name.startswith("gone"):
                for file in each.iterdir():
                    file.unlink()
                each.rmdir()
        return found

    for number in range(3):
        (cache / f"gone{number}").mkdir(parents=True)
        (cache / f"gone{number}" / "corpus.arrow").write_bytes(b"")
    monkeypatch.setattr(store, "_files", vanishing)
    place = encoded_corpus(text).folder
    assert list(cache.iterdir()) == [place]


# ---- what is wrong -----------------------------------------------------------------------------


def interrupted(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("corpus", "options", "error"),
    [
        ([["a"], ["b", 3]], {}, BadCorpus),
        ([[]], {}, BadCorpus),
        ("nowhere.txt", {}, MissingFile),
        ([["a", "b"]], {"progress": interrupted}, KeyboardInterrupt),
    ],
)
def test_a_failed_encoding_leaves_nothing(cache, corpus, options, error):
    with pytest.raises(error):
        encoded_corpus(corpus, threads=2, **options)
    gc.collect()
    assert list(cache.iterdir()) == []


def test_text_that_is_not_utf8_leaves_nothing(cache, text):
    text.write_bytes(b"good\n" * 9 + b"\xff\n")
    with pytest.raises(BadCorpus, match="byte 0xff at position 45"):
        encoded_corpus(text, threads=3)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("stage", ["write_words", "rank_corpus"])
def test_a_full_disk_is_said_to_be_full_and_nothing_is_left(cache, text, monkeypatch, stage):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(encoding, stage, full)
    with pytest.raises(CannotWrite, match=r"cannot write the encoded corpus in .*: No space left on device; make room"):
        encoded_corpus(text)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("largest", [0, 1000, 20_000, 50_000, 399_000, 401_000, 700_000])
def test_a_disk_that_refuses_to_write_at_any_place_leaves_nothing(cache, tmp_path, largest):
    """The system itself refuses files beyond a size: in the spool, among the words, or in the corpus."""
    resource = pytest.importorskip("resource", reason="this system cannot limit the size of files")
    (tmp_path / "a.txt").write_text("".join(f"{n % 9} {n}\n" for n in range(50_000)))  # 400 KB as numbers
    shutil.rmtree(encoded_corpus(tmp_path / "a.txt").folder)  # now all is compiled, and that is no longer written
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        with pytest.raises(CannotWrite, match=r"cannot write the encoded corpus in .*; make room there, or set FIRTH"):
            encoded_corpus(tmp_path / "a.txt")
        gc.collect()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(cache.iterdir()) == []


def test_where_the_cache_cannot_be_made_the_corpus_is_made_elsewhere_and_not_kept(tmp_path, text, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FIRTH_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match=r"the cache .*file.* cannot be written .*; set FIRTH_CACHE"):
        corpus = encoded_corpus(text)
    folder = corpus.folder
    assert folder.is_dir()
    corpus.close()
    assert not folder.exists()


def test_an_entry_that_cannot_take_its_place_is_said_so(cache, text, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("pathlib.Path.rename", refuse)
    with pytest.raises(CannotWrite, match="Permission denied"):
        encoded_corpus(text)
    assert list(cache.iterdir()) == []

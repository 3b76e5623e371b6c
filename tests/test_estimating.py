"""What an estimate adds up, how it grows a sample's vocabulary, and whether training then takes what it said."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import firth
from firth.backends.cpu import CpuBackend, hot_rows
from firth.backends.reference import ReferenceBackend
from firth.corpus import encoded_corpus, sample
from firth.errors import BadCorpus, BadOption, FirthError, MissingFile
from firth.estimating import Estimate, growth, sizes, speed, trials
from firth.estimating.grams import grams_met
from firth.formats.model import StoredModel, write_model
from firth.memory import machine_memory_bytes, peak_memory_bytes
from firth.options import CorpusOptions, TrainingOptions
from firth.reports import estimate_lines
from firth.training import grams_of
from firth.vocabulary import Vocabulary, trained_words

VOWELS = ("a", "e", "i", "o", "u", "an", "er", "ing", "ol", "ess")
WORDS = 200_000  # different ones, so that the matrices outweigh the program


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Zipf's law over many words, each at least five times, in random order."""
    draws = np.random.default_rng(1)
    rare = np.repeat(np.arange(WORDS), 5)
    words = np.concatenate([rare, (WORDS ** draws.random(1_000_000)).astype(np.int64)])
    draws.shuffle(words)
    path = tmp_path_factory.mktemp("estimate") / "text.txt"
    with path.open("w") as file:
        for line in words.reshape(-1, 20):
            file.write(" ".join(f"w{each}" for each in line) + "\n")
    return path


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Speed is measured for a moment only: no test here asks for more."""
    monkeypatch.setattr(speed, "MEASURE_SECONDS", 0.3)
    monkeypatch.setattr(speed, "WARM_UP_SECONDS", 0.1)


def trained(text, folder, *options):
    """What `firth train` tells of itself, in a process of its own."""
    command = [sys.executable, "-m", "firth.cli", "train", text, "-o", folder / "m.safetensors", "--json", *options]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


# ---- the whole ---------------------------------------------------------------------------------


@pytest.mark.skipif(peak_memory_bytes() is None, reason="this system does not tell how much memory was held")
@pytest.mark.parametrize(
    "options",
    [
        {"workers": 1},
        {"workers": 2},
        {"workers": 2, "subwords": True},
        {"workers": 1, "subwords": True, "vector_size": 16, "min_n": 1, "max_n": 10},
    ],
    ids=str,
)
def test_training_takes_the_memory_that_the_estimate_said(text, tmp_path, options):
    found = firth.estimate(text, epochs=1, **options, cache=False)
    assert found.exact
    assert (found.words, found.vocabulary) == (2_000_000, WORDS)
    flags = [f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}") for name, value in options.items()]
    told = trained(text, tmp_path, "--epochs", "1", *flags, "--no-cache")
    assert told["vocabulary"] == WORDS
    assert 0.75 < found.peak_bytes / told["peak_memory_bytes"] < 1.25
    assert found.model_bytes == pytest.approx((tmp_path / "m.safetensors").stat().st_size, rel=0.001)


def test_a_large_text_is_read_in_part(text, monkeypatch, tmp_path):
    monkeypatch.setattr(sample, "SAMPLE_BYTES", text.stat().st_size // 4)
    read = sample.read_sample(str(text), CorpusOptions(), tmp_path, 2)
    corpus = firth.EncodedCorpus(tmp_path / "whole")
    assert 0.2 < read.share < 0.25
    assert corpus.total_tokens / read.share == pytest.approx(2_000_000, rel=0.02)
    whole = encoded_corpus(text, CorpusOptions(cache=False))
    assert set(corpus.words.to_pylist()) < set(whole.words.to_pylist()), "no word is cut in two"


def test_a_packed_text_is_read_from_its_beginning(text, monkeypatch, tmp_path):
    import gzip

    packed = tmp_path / "text.txt.gz"
    packed.write_bytes(gzip.compress(text.read_bytes(), 1))
    monkeypatch.setattr(sample, "SAMPLE_BYTES", packed.stat().st_size // 2)
    read = sample.read_sample(str(packed), CorpusOptions(), tmp_path, 2)
    assert 0.3 < read.share < 1
    tokens = firth.EncodedCorpus(tmp_path / "whole").total_tokens
    assert tokens / read.share == pytest.approx(2_000_000, rel=0.25), "a decompressor reads ahead"


def test_a_folder_may_begin_with_files_that_hold_no_token(tmp_path):
    for number in range(sample.FIRST_BLOCKS - 1):
        (tmp_path / f"{number}.txt").write_text(" \n" * (number > 0))
    (tmp_path / "z.txt").write_text("a b c\n")
    (tmp_path / "out").mkdir()
    read = sample.read_sample(str(tmp_path / "*.txt"), CorpusOptions(), tmp_path / "out", 1)
    assert (read.share, read.first_words) == (1, 3)
    for number in (7, 8, 9):
        (tmp_path / f"{number}.txt").write_text("\n")
    (tmp_path / "again").mkdir()
    read = sample.read_sample(str(tmp_path / "*.txt"), CorpusOptions(), tmp_path / "again", 1)
    assert (read.share, read.first_words) == (1, 0)
    assert read.peak_bytes_with(6, 3) >= read.peak_bytes


def test_a_text_of_one_line_is_cut_at_spaces(tmp_path, monkeypatch):
    path = tmp_path / "line.txt"
    path.write_text("alpha beta gamma " * 100_000)
    monkeypatch.setattr(sample, "SAMPLE_BYTES", 100_000)
    sample.read_sample(str(path), CorpusOptions(), tmp_path, 1)
    assert set(firth.EncodedCorpus(tmp_path / "whole").words.to_pylist()) == {"alpha", "beta", "gamma"}


def test_files_of_the_current_folder_are_not_run(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise SystemExit('ran')")
    (tmp_path / "a.txt").write_text("a b c\n")
    monkeypatch.chdir(tmp_path)
    assert trials.sampled(["a.txt"], CorpusOptions(), 1, tmp_path, several=False).share == 1


def test_a_rate_at_which_training_would_diverge_is_estimated(tmp_path):
    (tmp_path / "a.txt").write_text("a b c d\n" * 1000)
    options = {"alpha": 1.0, "vector_size": 8, "negative": 20, "architecture": "cbow", "workers": 1}
    assert firth.estimate(tmp_path / "a.txt", cache=False, **options).vocabulary == 4


def test_a_process_that_fails_is_told_by_its_last_line():
    with pytest.raises(FirthError, match=r"the process that tries .* got 3: there is no room; mend that"):
        trials._output("tries", "import sys; print('more\\nthere is no room', file=sys.stderr); sys.exit(3)", [])
    with pytest.raises(FirthError, match="got 9: it said nothing"):
        trials._output("tries", "raise SystemExit(9)", [])


@pytest.mark.parametrize(("space", "whole"), [("\t", False), ("\r", False), ("\u3000", True)])
def test_a_text_may_have_other_white_space(tmp_path, monkeypatch, space, whole):
    (tmp_path / "line.txt").write_text(space.join(["alpha", "beta", "gamma"] * 50_000), newline="")
    monkeypatch.setattr(sample, "SAMPLE_BYTES", 100_000)
    read = sample.read_sample(str(tmp_path / "line.txt"), CorpusOptions(), tmp_path, 1)
    assert read.share == 1 if whole else 0.05 < read.share < 0.2
    assert set(firth.EncodedCorpus(tmp_path / "whole").words.to_pylist()) == {"alpha", "beta", "gamma"}


def test_a_text_that_holds_no_token_is_empty_however_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "blank.txt").write_text(" \n" * 100_000)
    monkeypatch.setattr(sample, "SAMPLE_BYTES", 10_000)
    with pytest.raises(BadCorpus, match="the corpus is empty"):
        sample.read_sample(str(tmp_path / "blank.txt"), CorpusOptions(), tmp_path, 1)


def test_a_corpus_in_the_cache_is_not_read_again(text, cache):
    with encoded_corpus(text, CorpusOptions()) as corpus:
        found = firth.estimate(text, epochs=1, vector_size=8, workers=1)
        assert (found.exact, found.reading_peak_bytes, found.seconds["reading"]) == (True, 0, 0.0)
        assert found.cache_bytes == pytest.approx(corpus.size, rel=0.01)
        assert firth.estimate(corpus, vector_size=8, workers=1).vocabulary == WORDS


def test_a_given_vocabulary_is_taken(text):
    given = Vocabulary.of_words([f"w{each}" for each in range(100)], np.full(100, 7))
    found = firth.estimate(text, vocabulary=given, vector_size=8, epochs=1)
    assert found.vocabulary == 100
    with pytest.raises(BadCorpus, match="no word in common"):
        firth.estimate(text, vocabulary=Vocabulary.of_words(["none"], [1]))


@pytest.mark.parametrize("options", [{"unknown": "<unk>", "min_count": 6}, {"min_n": 30, "max_n": 40}], ids=str)
def test_n_grams_are_counted_as_training_has_them(text, monkeypatch, options):
    taken = []
    monkeypatch.setattr("firth.estimating.memory_parts", lambda *_, grams, **__: taken.append(grams) or {})
    options = {"subwords": True, "bucket": 50_000, "vector_size": 8, "workers": 1, "epochs": 1} | options
    found = firth.estimate(text, **options)
    table = grams_of(trained_words(encoded_corpus(text), TrainingOptions(**options))[0], TrainingOptions(**options))
    assert taken == [sizes.GramSizes(len(table.rows), len(table), 50_000)]
    assert found.model_bytes - firth.estimate(text, **options | {"subwords": False}).model_bytes == (
        found.vocabulary * 8 * 4 + len(table) * (8 * 4 + 8)
    )


def test_the_n_grams_of_all_words_are_told_from_the_most_frequent():
    draws = np.random.default_rng(3)
    syllables = np.array(
        [a + b for a in ("b", "ch", "d", "f", "g", "k", "l", "m", "n", "p", "r", "st", "") for b in VOWELS]
    )
    often = 1 / np.arange(1, len(syllables) + 1)
    parts = draws.choice(syllables, (30_000, 5), p=often / often.sum())
    words = list(dict.fromkeys("".join(each[: draws.integers(1, 6)]) for each in parts))
    options = TrainingOptions(subwords=True, bucket=100_000)
    counts = np.arange(len(words), 0, -1)
    whole = grams_met(words, counts, options).sizes(len(words))
    told = grams_met(words[: len(words) // 8], counts, options).sizes(len(words))
    assert told.rows == pytest.approx(whole.rows, rel=0.2)
    assert told.entries == pytest.approx(whole.entries, rel=0.1)
    assert grams_met(words, counts, options).sizes(10**9).rows == 100_000, "no more than there are buckets"
    few = grams_met(["word"], counts, options).sizes(10)
    assert (few.entries, few.rows) == (100, 100), "too few to see them grow"


def test_n_grams_of_the_first_words_are_those_of_a_table_of_them():
    words, counts = ["walking", "walked", "a", "talked"], np.array([9, 7, 5, 1])
    met = grams_met(words, counts, TrainingOptions(subwords=True))
    for n in (1, 2, 3):
        first, alone = met.of_first(n), grams_met(words[:n], counts, TrainingOptions(subwords=True)).table
        assert np.array_equal(first.offsets, alone.offsets)
        assert np.array_equal(first.buckets[first.rows], alone.buckets[alone.rows])
    unmet = met.of_first(6)
    assert len(unmet.offsets) == 7
    assert unmet.offsets[4] == unmet.offsets[6] == len(unmet.rows), "words that were not met have none"


def test_tokens_trained_as_the_unknown_word_are_counted_in(tmp_path):
    """Nine in ten are: without them a token would cost a tenth."""
    path = tmp_path / "text.txt"
    rng = np.random.default_rng(1)
    rare = rng.permutation(np.arange(1_000, 91_000))
    frequent = rng.integers(0, 50, 10_000)
    words = rng.permutation(np.concatenate([rare, frequent]))
    path.write_text("".join(" ".join(f"w{word}" for word in line) + "\n" for line in words.reshape(-1, 20)))
    options = {"min_count": 2, "vector_size": 100, "epochs": 1, "workers": 1, "sample": 0}
    without, found = (firth.estimate(path, **options, unknown=unknown) for unknown in (None, "<unk>"))
    assert (without.vocabulary, found.vocabulary) == (50, 51)
    assert found.epoch_seconds > 3 * without.epoch_seconds
    assert Vocabulary.of(firth.encoded_corpus(path), min_count=2, unknown="<unk>").words[0] == "<unk>"


@pytest.mark.parametrize(
    ("corpus", "error", "sentence"),
    [
        ("-", BadOption, "can be read only once; save it"),
        ([["a", "b"]], BadOption, "needs a path, a list of pathlib.Path or an EncodedCorpus"),
        (iter([["a"]]), BadOption, "needs a path"),
        ("nothing.txt", MissingFile, "there is no file nothing.txt"),
        (os.devnull, BadOption, "can be read only once"),
    ],
)
def test_what_cannot_be_estimated_is_told(corpus, error, sentence):
    with pytest.raises(error, match=sentence):
        firth.estimate(corpus)


def test_bad_text_and_options_are_told_as_in_training(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a b \xff\n")
    with pytest.raises(BadCorpus, match="is not UTF-8"):
        firth.estimate(path)
    path.write_text("a b c\n")
    with pytest.raises(BadCorpus, match="min_count = 5"):
        firth.estimate(path)
    with pytest.raises(BadOption, match="vector_size must be 1 or more"):
        firth.estimate(path, vector_size=0)
    with pytest.raises(BadOption, match="unknown option 'size'"):
        firth.estimate(path, size=3)


# ---- its parts ---------------------------------------------------------------------------------


def test_a_model_file_has_the_size_that_is_told(tmp_path):
    words = [f"word{each}" for each in range(1000)]
    matrix = np.zeros((1000, 30), np.float32)
    write_model(tmp_path / "m", StoredModel.of(words, matrix, output=matrix, counts=np.ones(1000, np.int64)))
    letters = np.mean([len(word) for word in words])
    assert (tmp_path / "m").stat().st_size == pytest.approx(sizes.model_size(1000, 30, letters), abs=2000)


def test_an_encoded_corpus_has_the_size_that_is_told(text):
    with encoded_corpus(text, CorpusOptions(cache=False)) as corpus:
        letters = sizes.mean_word_bytes(corpus, len(corpus.words))
        assert letters == np.mean([len(word) for word in corpus.words.to_pylist()])
        told = sizes.corpus_size(corpus.total_tokens, corpus.sentences, len(corpus.words), letters)
        assert told == pytest.approx(corpus.size, rel=0.01)


def test_matrices_are_counted_with_their_padding():
    def parts(D, workers=1):
        options = TrainingOptions(vector_size=D, workers=workers)
        return sizes.memory_parts(1000, 5000, 6.0, 10**8, options, CpuBackend(), renumbered=False)

    assert parts(16)["two matrices"] == 2 * 1000 * 16 * 4
    assert parts(17)["two matrices"] == 2 * 1000 * 32 * 4
    copied = hot_rows(1000, 4) * 112 * 4
    assert parts(100, workers=4)["workers"] > 4 * 4 * copied > 0, "each has four copies of the hot rows"
    assert parts(100)["workers"] < 4 * copied
    assert ReferenceBackend().buffer_bytes(1000, TrainingOptions(vector_size=16)) == 2 * 1000 * 16 * 8


def test_the_vocabulary_of_a_growing_text_is_told_from_a_part_of_it():
    draws = np.random.default_rng(2)
    text = (1e6 ** draws.random((32, 100_000))).astype(np.int64)  # Zipf's law
    whole = np.bincount(text.ravel(), minlength=1_000_000)
    part = np.stack([np.bincount(each, minlength=1_000_000) for each in text[:4]])
    for min_count in (1, 5):
        told = growth.words_in_whole(part, 1 / 8, min_count)
        assert told == pytest.approx((whole >= min_count).sum(), rel=0.25)


def test_words_too_rare_to_grow_are_told_by_their_share():
    part = np.zeros((4, 10), np.int64)
    part[:, :4] = 1  # each word four times in a tenth of the text
    assert growth.words_in_whole(part, 0.1, 40) == 4
    with pytest.raises(BadCorpus, match="lower min_count"):
        growth.words_in_whole(part, 0.1, 50)


def test_more_memory_than_there_is_is_told():
    def lines(there_is):
        found = Estimate(10, 5, False, {"program": 3 << 20}, 0, {"starting": 1.0}, 1.0, 1.0, 9, 9, there_is)
        return [each for each in estimate_lines(found) if isinstance(each, str)]

    assert lines(4 << 20) == lines(None) == []
    (line,) = lines(2 << 20)
    assert "more memory than there is: 3 MB of 2 MB" in line


def test_the_machine_has_more_memory_than_this_process():
    there_is, held = machine_memory_bytes(), peak_memory_bytes()
    assert there_is is None or held is None or there_is > held


def test_quarters_hold_every_token_once_and_each_is_from_all_over_the_text(text):
    with encoded_corpus(text, CorpusOptions(cache=False)) as corpus:
        counts = growth.quarters(corpus)
        assert np.array_equal(counts.sum(axis=0), corpus.counts)
        assert counts.sum(axis=1) == pytest.approx(np.full(4, 500_000), rel=0.06)

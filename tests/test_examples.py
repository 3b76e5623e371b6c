"""The examples run, quickly, and learn what they are meant to show: losses fall, related words come close."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from firth.backends.reference import softmax

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name):
    """The module of an example."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def nearest(vectors, word, count):
    return {near for near, _ in vectors.most_similar(word, topn=count)}


# ---- full softmax by hand ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def by_hand():
    return example("softmax_by_hand")


@pytest.fixture(scope="module", params=[1, 2, 3])
def trained_by_hand(request, by_hand):
    sentences = by_hand.tokenised(by_hand.TEXT)
    vocabulary = by_hand.counted(sentences)
    pairs = by_hand.all_pairs(sentences, vocabulary)
    input, losses = by_hand.trained(pairs, len(vocabulary), request.param)
    return by_hand.WordVectors(vocabulary.words, input), losses, pairs


def test_words_are_lower_case_letters_numbered_by_falling_count(by_hand):
    sentences = by_hand.tokenised("Tea, hot TEA! And 2 cups. Tea.")
    assert sentences == [["tea", "hot", "tea", "and", "cups"], ["tea"]]
    vocabulary = by_hand.counted(sentences)
    assert vocabulary.words == ("tea", "and", "cups", "hot")
    assert vocabulary.counts.tolist() == [3, 1, 1, 1]


def test_pairs_are_all_words_within_the_window(by_hand):
    vocabulary = by_hand.counted([["a", "b", "c", "d", "e"]])
    pairs = by_hand.all_pairs([["a", "b", "c", "d", "e"]], vocabulary)
    assert {tuple(pair) for pair in pairs.tolist()} == {
        (i, j) for i in range(5) for j in range(5) if 0 < abs(i - j) <= by_hand.WINDOW
    }


def test_full_softmax_begins_with_a_blind_guess_and_its_loss_falls(trained_by_hand):
    vectors, losses, _ = trained_by_hand
    assert losses[0] == pytest.approx(np.log(len(vectors)), abs=0.2)
    assert losses[-1] < losses[len(losses) // 2] < losses[5] < losses[0]
    assert losses[-1] < 0.65 * losses[0]


def test_full_softmax_ends_near_the_least_loss_that_the_text_allows(trained_by_hand):
    vectors, losses, pairs = trained_by_hand
    met = np.zeros((len(vectors), len(vectors)))
    np.add.at(met, tuple(pairs.T), 1)
    shares = met / met.sum(axis=1, keepdims=True)
    least = -np.sum(met[met > 0] * np.log(shares[met > 0])) / len(pairs)
    assert least < losses[-1] < 1.1 * least


def test_full_softmax_finds_analogies_and_related_words(by_hand, trained_by_hand):
    vectors, _, _ = trained_by_hand
    answers = [vectors.analogy(*question, topn=1)[0][0] for question in by_hand.ANALOGIES]
    assert answers == ["queen", "princess", "actress"]
    assert vectors.similarity("king", "queen") > vectors.similarity("king", "soup")


def test_its_steps_are_those_of_the_reference(by_hand):
    assert by_hand.softmax is softmax


def test_it_prints_and_draws(by_hand, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="pictures need matplotlib: pip install 'firth[viz]'")
    by_hand.main(tmp_path)
    told = capsys.readouterr().out
    for training in told.split("negative sampling, 5 noise words"):
        for said in ("near king:", "man is to king as woman is to queen", "king: shape (20,), norm"):
            assert said in training
        cosines = [float(re.search(f"king and {other}: cosine (\\S+),", training)[1]) for other in ("queen", "soup")]
        assert cosines[0] > cosines[1]
    assert (tmp_path / "softmax_by_hand.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture(scope="module", params=[1, 2, 3])
def sampled_by_hand(request, by_hand):
    sentences = by_hand.tokenised(by_hand.TEXT)
    vocabulary = by_hand.counted(sentences)
    input, losses = by_hand.trained_by_sampling(by_hand.all_windows(sentences, vocabulary), vocabulary, request.param)
    return by_hand.WordVectors(vocabulary.words, input), losses


def test_negative_sampling_by_hand_begins_with_even_chances_and_its_loss_falls(by_hand, sampled_by_hand):
    _, losses = sampled_by_hand
    assert losses[0] < (1 + by_hand.K) * np.log(2)
    assert losses[-1] < losses[20] < losses[5] < losses[0]


def test_negative_sampling_by_hand_finds_analogies_and_related_words(by_hand, sampled_by_hand):
    vectors, _ = sampled_by_hand
    answers = [vectors.analogy(*question, topn=1)[0][0] for question in by_hand.ANALOGIES]
    assert answers == ["queen", "princess", "actress"]
    assert vectors.similarity("king", "queen") > vectors.similarity("king", "soup")


def test_clipped_gradients_keep_their_directions_and_short_ones_their_lengths(by_hand):
    rows = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    assert by_hand.clipped(rows) == pytest.approx(np.array([[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]]))


# ---- negative sampling -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_small_world_brings_each_kind_together_and_finds_capitals(seed):
    world = example("small_world")
    model = world.main(seed)
    vectors = model.vectors
    assert model.losses[-1] < model.losses[20] < model.losses[0]
    for words in world.KINDS.values():
        for word in words:
            assert nearest(vectors, word, 3) == {*words} - {word}
    answers = [vectors.analogy("france", "paris", country, topn=1)[0][0] for country, *_ in world.COUNTRIES[1:]]
    assert answers == [capital for _, capital, _ in world.COUNTRIES[1:]]


def test_items_of_a_shelf_are_nearest_to_one_another():
    sessions = example("sessions")
    vectors = sessions.main(sessions.made_up_sessions())
    for shelf in sessions.SHELVES.values():
        for item in shelf:
            assert nearest(vectors, item, len(shelf) - 1) == {*shelf} - {item}


def test_item_vectors_tell_the_next_item_better_than_popularity():
    following = example("next_items")
    report = following.main(following.made_up_sessions())
    hit_rates = [each.hit_rate for each in report.results[0]]
    assert report.names == ["model", "popularity", "co-occurrence"]
    assert hit_rates[0] > 0.5 > 0.1 > hit_rates[1]


# ---- as programs -------------------------------------------------------------------------------


def run(name, *arguments, folder):
    command = [sys.executable, EXAMPLES / f"{name}.py", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_sessions_reads_a_file(tmp_path):
    (tmp_path / "log.txt").write_text("bread butter jam\nspade rake seeds\n" * 50)
    assert "100 sessions, 6 items" in run("sessions", tmp_path / "log.txt", folder=tmp_path)


def test_parquet_corpus_trains_on_a_column(tmp_path):
    assert "vector_size=64" in run("parquet_corpus", folder=tmp_path)
    assert not list(tmp_path.iterdir()), "what it makes goes with it"

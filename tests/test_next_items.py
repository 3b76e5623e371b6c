"""Next items of sessions: ranks and measures by hand, baselines by brute force, what is left out is told."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from scipy.sparse import csr_array

from firth import Word2Vec, WordVectors, evaluate_next_items, hold_out_sessions, leave_last_out
from firth.errors import BadCorpus, BadOption, Diverged, MissingFile
from firth.evaluate.next_items import judged
from firth.evaluate.recommending import ByPrediction, BySimilarity, CoOccurrence, Popularity
from firth.evaluate.sessions import Asked, Sessions
from firth.options import NextItemOptions, TrainingOptions
from firth.vocabulary import Vocabulary
from firth.weights import Weights

ITEMS = ("a", "b", "c", "d", "e")


class ByTable:
    """Scores that a test wrote down: those of the last item of each session."""

    vector_size = None

    def __init__(self, table, items=ITEMS):
        self.items, self.table = items, np.array(table, np.float64)

    def scores(self, sessions):
        return sessions @ self.table


def judge(recommender, sessions, **options):
    held_out, chosen = Sessions.read(sessions), NextItemOptions(**options)
    return judged(recommender, held_out, Asked.of(held_out, chosen.positions), chosen)


def model_of(seed=1, V=5, D=3, **options):
    rng = np.random.default_rng(seed)
    weights = Weights(*(rng.normal(size=(V, D)).astype(np.float32) for _ in range(2)))
    vocabulary = Vocabulary(ITEMS[:V], np.arange(V, 0, -1) * 10)
    return Word2Vec.of(TrainingOptions(vector_size=D, **options), vocabulary, weights)


def told(result):
    return result.hit_rate, result.mrr, result.ndcg


# ---- ranks and measures ------------------------------------------------------------------------

#        a  b  c  d  e
AFTER = [
    [0, 5, 4, 3, 2],  # after a
    [9, 0, 1, 2, 3],  # after b
    [1, 1, 1, 1, 1],  # after c: all alike
    [0, 0, 0, 0, 0],
    [4, 3, 2, 1, 0],
]


@pytest.mark.parametrize(
    ("session", "rank"),
    [
        ("a b", 1),
        ("a c", 2),
        ("a e", 4),
        ("b c", 4),  # a is first, then e and d
        ("c b", 2),  # equal scores rank in the order of the vocabulary
        ("c e", 4),  # and c itself is none of those before it
        ("a b d", 2),  # after b, without a and b: e, d, c
    ],
)
def test_the_rank_is_the_place_among_items_that_the_session_does_not_hold(session, rank):
    assert judge(ByTable(AFTER), [session.split()], k=4, history=1).ranks.tolist() == [rank]


def test_measures_are_means_over_predictions_of_what_the_rank_gives():
    sessions = [["a", "b"], ["a", "c"], ["a", "e"], ["b", "d"]]
    result = judge(ByTable(AFTER), sessions, k=3)
    assert result.ranks.tolist() == [1, 2, 4, 3]
    assert told(result) == pytest.approx((3 / 4, (1 + 1 / 2 + 1 / 3) / 4, (1 + 1 / math.log2(3) + 1 / 2) / 4))
    assert told(judge(ByTable(AFTER), sessions, k=1)) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_ndcg_and_hit_rate_are_scikit_learn_s(k):
    metrics = pytest.importorskip("sklearn.metrics", reason="held to scikit-learn: pip install 'firth[sklearn]'")
    rng = np.random.default_rng(2)
    items = tuple(f"i{number}" for number in range(30))
    table = rng.permutation(30 * 30).reshape(30, 30) + 0.5  # no two scores alike
    pairs = [rng.choice(30, 2, replace=False) for _ in range(200)]
    result = judge(ByTable(table, items), [[items[a], items[b]] for a, b in pairs], k=k, exclude_seen=False)
    scores, right = table[[a for a, _ in pairs]], np.zeros((200, 30))
    right[np.arange(200), [b for _, b in pairs]] = 1
    assert result.ndcg == pytest.approx(metrics.ndcg_score(right, scores, k=k))
    labels = right.argmax(axis=1)
    assert result.hit_rate == pytest.approx(metrics.top_k_accuracy_score(labels, scores, k=k, labels=range(30)))
    if k == 10:
        assert np.mean(1 / result.ranks) == pytest.approx(metrics.label_ranking_average_precision_score(right, scores))


def test_all_positions_are_those_of_the_last_item_of_every_beginning(monkeypatch):
    monkeypatch.setattr("firth.evaluate.next_items.SCORES_AT_ONCE", 7)  # one prediction at a time
    rng = np.random.default_rng(3)
    sessions = [[ITEMS[i] for i in rng.integers(0, 5, length)] for length in (1, 2, 5, 9)]
    beginnings = [each[:n] for each in sessions for n in range(2, len(each) + 1)]
    for history in (1, 3, "all"):
        for exclude_seen in (True, False):
            chosen = {"k": 2, "history": history, "exclude_seen": exclude_seen, "resamples": 0}
            every = judge(ByPrediction(model_of()), sessions, positions="all", **chosen)
            one_by_one = judge(ByPrediction(model_of()), beginnings, **chosen)
            assert every.ranks.tolist() == one_by_one.ranks.tolist()
            assert every.items == 1 + 4 + 8


def test_history_is_the_last_known_items():
    model = ByPrediction(model_of())
    whole = judge(model, [["a", "b", "nothing", "d"], ["b", "d"]], k=3, history=1, exclude_seen=False)
    assert whole.ranks[0] == whole.ranks[1]
    four, every = (judge(model, [list("abcde")], k=3, history=history).ranks for history in (4, "all"))
    assert four == every


def test_predictions_of_one_session_are_drawn_together():
    """A session that is all right and one that is all wrong: resamples hold neither, one or both."""
    table = [[0, 9, 0, 0, 0], [0, 0, 9, 0, 0], [0, 0, 0, 9, 0], [0] * 5, [0, 0, 0, 0, 0]]
    sessions = [list("abcd"), ["e", "d", "c", "b"]] * 20
    result = judge(ByTable(table), sessions, k=1, positions="all", history=1, exclude_seen=False)
    measure = result.measure("hit rate@1")
    assert measure.value == 0.5
    apart = [list(pair) for session in sessions for pair in itertools.pairwise(session)]
    narrower = judge(ByTable(table), apart, k=1).measure("hit rate@1")
    assert measure.high - measure.low > 1.5 * (narrower.high - narrower.low)


# ---- what predicts -----------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["ns", "hs", "softmax"])
def test_predictions_rank_as_the_model_s_own_predict(loss):
    model = model_of(loss=loss)
    sessions = [list("abc"), list("cad"), ["e", "e", "b"]]
    result = judge(ByPrediction(model), sessions, k=4, history="all", exclude_seen=False)
    for session, rank in zip(sessions, result.ranks, strict=True):
        assert [word for word, _ in model.predict(session[:-1])][int(rank) - 1] == session[-1]


def test_similarity_ranks_as_most_similar():
    vectors = model_of().vectors
    for session in (list("abc"), list("cad"), list("eb")):
        rank = int(judge(BySimilarity(vectors), [session], k=4, history="all").ranks[0])
        assert vectors.most_similar(session[:-1])[rank - 1][0] == session[-1]


def test_popularity_counts_the_sessions_trained_on():
    popular = Popularity.of(Sessions.read([list("aab"), list("ab"), ["c"]]))
    assert popular.items == ["a", "b", "c"]
    assert popular.scores(csr_array((2, 3))).tolist() == [[3, 2, 1]] * 2


def by_brute_force(sessions, together, items):
    found, counts = np.zeros((len(items), len(items))), np.zeros(len(items))
    for session in sessions:
        numbers = [items.index(each) for each in session]
        if together == "all":
            counts[list(set(numbers))] += 1
            found[np.ix_(list(set(numbers)), list(set(numbers)))] += 1
            continue
        np.add.at(counts, numbers, 1)
        for i, first in enumerate(numbers):
            for j, second in enumerate(numbers):
                found[first, second] += 0 < abs(i - j) <= together
    np.fill_diagonal(found, 0)
    return found / np.sqrt(np.outer(counts, counts))


@pytest.mark.parametrize("together", ["all", 1, 2, 50])
def test_co_occurrences_are_cosines_of_counts(together):
    rng = np.random.default_rng(4)
    sessions = [[ITEMS[i] for i in rng.integers(0, 5, length)] for length in (0, 1, 2, 3, 8, 13)]
    found = CoOccurrence.of(Sessions.read(sessions), together)
    expected = by_brute_force(sessions, together, list(found.items))
    np.testing.assert_allclose(found.similarities.toarray(), expected)
    two = csr_array(([1.0, 2.0], ([0, 0], [1, 3])), shape=(1, 5))
    np.testing.assert_allclose(found.scores(two)[0], expected[1] + 2 * expected[3])


# ---- what is not known -------------------------------------------------------------------------


def test_right_items_that_are_not_known_are_misses_and_told():
    result = judge(ByTable(AFTER), [["a", "b"], ["a", "new"]], k=2)
    assert result.ranks.tolist() == [1, np.inf]
    assert told(result) == (0.5, 0.5, 0.5)
    assert (result.items, result.known) == (2, 2)
    assert result.remarks == ("1 of 2 right items are not among the 5 known, which counts as a miss",)


def test_sessions_of_which_nothing_is_known_are_left_out_and_told():
    result = judge(ByTable(AFTER), [["a", "b"], ["new", "b"], ["c"]], k=2)
    assert told(result) == (1.0, 1.0, 1.0)
    assert (result.items, result.known) == (2, 1)
    assert np.isnan(result.ranks[1])
    assert result.remarks == (
        "1 of 2 predictions are left out, as no item before them is known",
        "1 of 3 sessions have no second item, and nothing to predict",
    )


def test_items_that_return_are_misses_unless_they_may():
    sessions = [["b", "a", "b", "a"]]
    result = judge(ByTable(AFTER), sessions, k=2, history=1)
    assert told(result) == (0, 0, 0)
    assert "stood in their session before" in result.remarks[0]
    assert judge(ByTable(AFTER), sessions, k=2, history=1, exclude_seen=False).ranks.tolist() == [1]


@pytest.mark.parametrize(
    ("sessions", "reason"),
    [
        ([["x", "a"], ["y", "b"]], "of 2 predictions, none has a known item before it"),
        ([["a", "x"], ["b", "y"]], "none of the 2 items to predict is among the 5 that are known"),
    ],
)
def test_where_nothing_can_be_told_there_is_a_reason_and_no_zero(sessions, reason):
    result = judge(ByTable(AFTER), sessions, k=2)
    assert told(result) == (None, None, None)
    assert all(reason in each.reason for each in result.measures)
    assert reason in str(result)


def test_sessions_without_a_second_item_are_refused():
    with pytest.raises(BadCorpus, match=r"none of the 2 sessions has two items; give a session for each line"):
        judge(ByTable(AFTER), [["a"], ["b"]])


def test_an_empty_file_and_a_missing_one_are_refused(tmp_path):
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(BadCorpus, match="holds no token"):
        evaluate_next_items(model_of(), tmp_path / "empty.txt", k=2)
    with pytest.raises(MissingFile):
        evaluate_next_items(model_of(), tmp_path / "none.txt", k=2)


def test_k_must_leave_something_to_choose():
    with pytest.raises(
        BadOption, match=r"k must be less than the number of items, of which there are 5, got 5; lower k"
    ):
        judge(ByTable(AFTER), [["a", "b"]], k=5)


def test_predicting_takes_an_output_matrix():
    with pytest.raises(BadOption, match=r"scores 'predict' needs the output matrix .* scores='similar'"):
        evaluate_next_items(model_of().vectors, [["a", "b"]], k=2)


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("k", 0, "k must be 1 or more"),
        ("history", 0, "history must be 1 or more, got 0; for all that came before, take all"),
        ("history", "each", "history must be a whole number or all, got 'each'"),
        ("positions", "first", "positions must be one of last, all"),
        ("window", 5, "unknown option 'window'"),
    ],
)
def test_options_out_of_range_are_refused(option, value, error):
    with pytest.raises(BadOption, match=error):
        evaluate_next_items(model_of(), [["a", "b"]], **{option: value})


def test_no_model_is_refused():
    with pytest.raises(BadOption, match="got none"):
        evaluate_next_items({}, [["a", "b"]])


# ---- reports -----------------------------------------------------------------------------------


def test_a_report_has_models_and_baselines_and_their_differences_from_the_first():
    trained = [list("abc"), list("abd"), list("ace")] * 3
    report = evaluate_next_items(
        {"one": model_of(1), "two": model_of(2)}, [list("abd"), list("ace"), list("cd")], trained_on=trained, k=2
    )
    assert report.names == ["one", "two", "popularity", "co-occurrence"]
    assert {each.second for each in report.differences} == {"two", "popularity", "co-occurrence"}
    assert [each.vector_size for each in report.models] == [3, 3, None, None]
    plain = json.loads(report.to_json())
    assert plain["sets"][0]["kind"] == "sessions"
    assert set(plain["sets"][0]["results"][0]["measures"]) == {"hit rate@2", "MRR@2", "NDCG@2"}
    assert plain["options"]["k"] == 2
    assert "Other than usual: k 2." in report.to_markdown()


def test_a_model_compared_with_itself_differs_by_nothing():
    report = evaluate_next_items({"one": model_of(), "again": model_of()}, [list("abd"), list("ace")], k=2)
    for each in report.differences:
        assert (each.difference.value, each.better) == (0.0, None)


# ---- holding out -------------------------------------------------------------------------------


def test_the_last_item_of_each_session_is_left_out_of_training():
    sessions = [["a", "b", "c"], ["d"], [], ["e", "f"]]
    parted = leave_last_out(sessions)
    assert parted.train == [["a", "b"], ["d"], [], ["e"]]
    assert parted.held_out == [["a", "b", "c"], ["e", "f"]]
    assert sessions == [["a", "b", "c"], ["d"], [], ["e", "f"]]


def test_the_last_sessions_are_held_out_in_the_order_of_time():
    sessions = [[str(number)] * 2 for number in range(10)]
    parted = hold_out_sessions(sessions, 0.3)
    assert parted.train + parted.held_out == sessions
    assert len(parted.held_out) == 3


def test_a_draw_of_sessions_hangs_on_seed_and_place_alone():
    sessions = [[str(number)] * 2 for number in range(1000)]
    parted, again = hold_out_sessions(sessions, 0.2, seed=1), hold_out_sessions(iter(sessions), 0.2, seed=1)
    assert parted == again
    assert 150 < len(parted.held_out) < 250
    assert sorted(parted.train + parted.held_out) == sorted(sessions)
    assert parted.held_out != hold_out_sessions(sessions, 0.2, seed=2).held_out
    some = hold_out_sessions(sessions[:500], 0.2, seed=1)
    assert some.held_out == parted.held_out[: len(some.held_out)]


@pytest.mark.parametrize("share", [0, 1, -0.1, 1e-9, float("nan")])
def test_a_share_that_leaves_a_side_empty_is_refused(share):
    with pytest.raises(BadOption, match="share"):
        hold_out_sessions([["a", "b"]] * 5, share)


@pytest.mark.parametrize("part", [leave_last_out, hold_out_sessions])
def test_a_session_must_be_a_list(part):
    with pytest.raises(BadCorpus, match=r"session 1 must be a list of items, got 'a b'; split it"):
        part([["a", "b"], "a b"])


def test_sessions_of_one_item_have_no_last_one_to_leave_out():
    with pytest.raises(BadCorpus, match="none of the 2 sessions has two items"):
        leave_last_out([["a"], ["b"]])


# ---- on the command line -----------------------------------------------------------------------


def test_the_command_line_parts_sessions_and_judges_by_them(run, tmp_path):
    sessions, train, held_out = (tmp_path / f"{name}.txt" for name in ("sessions", "train", "held-out"))
    sessions.write_text("a b c\nb c d\nc d a\nd\n" * 20)
    status, printed, _ = run("hold-out", sessions, "--train", train, "--held-out", held_out)
    assert (status, printed.splitlines()[0]) == (0, f"wrote 80 sessions to train on to {train}")
    assert train.read_text() == "a b\nb c\nc d\nd\n" * 20
    assert held_out.read_text() == "a b c\nb c d\nc d a\n" * 20
    model = tmp_path / "model.safetensors"
    model_of().save(model)
    given = ("next-items", model, held_out, "--k", 2)
    status, printed, _ = run(*given, "--trained-on", train, "--history", "all", "--json")
    told = json.loads(printed)
    assert status == 0
    assert told["options"]["history"] == "all"
    assert told["sets"][0]["name"] == "held-out"
    assert [each["name"] for each in told["models"]] == ["model", "popularity", "co-occurrence"]
    report = tmp_path / "report.md"
    status, printed, _ = run(*given, "--scores", "similar", "--markdown", report)
    assert status == 0
    assert "hit rate@2" in printed
    assert "hit rate@2" in report.read_text()


def test_the_command_line_says_what_it_cannot_do(run, tmp_path):
    model, sessions, other = (tmp_path / name for name in ("model.safetensors", "sessions.txt", "other.txt"))
    model_of().save(model)
    sessions.write_text("a b c\n" * 3)
    items = tmp_path / "items.jsonl"
    items.write_text('{"items": ["green tea", "jam"]}\n')
    vectors = tmp_path / "vectors.safetensors"
    assert run("shrink", model, vectors)[0] == 0
    for arguments, said in [
        (["next-items", model, tmp_path / "none.txt"], "none.txt; check the path"),
        (["next-items", model, sessions], "k must be less than the number of items, of which there are 5, got 10"),
        (["next-items", model, sessions, "--history", "some"], "some"),
        (["next-items", model, sessions, "--k", 2, "--markdown", sessions], "is also what is to be read"),
        (["hold-out", sessions, "--train", sessions, "--held-out", other], "is also what is to be read"),
        (["hold-out", sessions, "--train", other, "--held-out", tmp_path / "b", "--seed", 1], "--share 0.1"),
        (["hold-out", sessions, "--train", other, "--held-out", other], "give two names"),
        (["next-items", model, sessions, "--json", "r.json", "--markdown", "r.json"], "cannot both be r.json"),
        (["next-items", vectors, sessions, "--k", 2], "--scores similar takes vectors alone"),
        (["hold-out", "s.txt.bz2", "--train", other, "--held-out", tmp_path / "b"], "there is no file s.txt.bz2"),
        (["hold-out", items, "--train", other, "--held-out", tmp_path / "b"], "holds JSON, not text (it has items)"),
        (["hold-out", items, "--train", other, "--held-out", tmp_path / "b", "--column", "items"], "item 'green tea'"),
        (["hold-out", sessions, "--train", other, "--held-out", tmp_path / "b.zst"], "name it otherwise"),
    ]:
        status, _, complained = run(*arguments)
        assert status == 2, arguments
        assert said in " ".join(complained.split()), arguments


def test_a_column_of_sessions_is_parted_and_judged_by(run, tmp_path):
    sessions, train, held_out = tmp_path / "s.jsonl", tmp_path / "train.txt", tmp_path / "held-out.txt"
    sessions.write_text('{"items": [1, 2, 3]}\n{"items": null}\n{"items": ["b", "c", "d"]}\n')
    assert run("hold-out", sessions, "--train", train, "--held-out", held_out, "--column", "items")[0] == 0
    assert (train.read_text(), held_out.read_text()) == ("1 2\nb c\n", "1 2 3\nb c d\n")
    table, model = tmp_path / "s.csv", tmp_path / "model.safetensors"
    table.write_text("who,items\nann,a b c\nbob,b c d\n")
    model_of().save(model)
    status, printed, _ = run("next-items", model, table, "--trained-on", table, "--column", "items", "--k", 2, "--json")
    assert status == 0
    assert {each["items"] for each in json.loads(printed)["sets"][0]["results"]} == {2}


def test_whole_sessions_are_held_out_by_share(run, tmp_path):
    sessions, train, held_out = (tmp_path / f"{name}.txt" for name in ("sessions", "train", "held-out"))
    sessions.write_text("".join(f"a{number} b\n" for number in range(50)))
    _, printed, _ = run("hold-out", sessions, "--train", train, "--held-out", held_out, "--share", 0.2, "--json")
    assert json.loads(printed)["sessions_held_out"] == 10
    assert train.read_text() + held_out.read_text() == sessions.read_text()


def test_window_all_is_a_flag(run, tmp_path):
    text, model = tmp_path / "text.txt", tmp_path / "model.safetensors"
    text.write_text("a b c d\n" * 20)
    flags = ("--min-count", 1, "--vector-size", 16, "--workers", 1, "--no-cache", "--sample", 0)
    assert run("train", text, "-o", model, "--window", "all", *flags)[0] == 0
    assert Word2Vec.load(model).options.window == "all"
    assert len(WordVectors.load(model)) == 4
    status, _, complained = run("train", text, "-o", model, "--window", "some", *flags)
    assert status == 2
    assert "'some' is no whole number, nor all" in " ".join(complained.split())


def test_scores_that_are_no_numbers_and_models_named_like_baselines_are_refused():
    model = Word2Vec(vector_size=16, min_count=1, sample=0, epochs=1).fit([["a", "b", "c"]] * 9)
    with pytest.raises(BadOption, match="'popularity' is the name of a baseline"):
        evaluate_next_items({"popularity": model}, [["a", "b"]], trained_on=[["a", "b"]])
    model.weights.output[:] = np.nan
    with pytest.raises(Diverged, match="not all finite numbers"):
        evaluate_next_items(model, [["a", "b"]], k=1)


def test_sessions_need_an_order_and_a_share_is_a_number():
    with pytest.raises(BadCorpus, match="session 0 must have an order, got set"):
        leave_last_out([{"a", "b"}])
    with pytest.raises(BadCorpus, match="sessions must be lists of items, got 5"):
        leave_last_out(5)
    with pytest.raises(BadOption, match="share must be a number above 0 and below 1"):
        hold_out_sessions([["a", "b"]] * 9, "0.1")

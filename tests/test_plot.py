"""`firth plot` and what it is made of: choosing words, heat maps, analogies, fonts, and what is said of bad input."""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from firth import WordVectors
from firth.cli import main
from firth.errors import BadFile, BadOption, UnknownWord
from firth.visualise import draw_analogies, draw_heatmap, draw_map, fonts, neighbourhoods, plot, read_groups
from firth.visualise.heat import by_likeness
from firth.visualise.parallelograms import _placed
from firth.visualise.theme import contrast, luminance

pytest.importorskip("matplotlib", reason="pictures are drawn by matplotlib: pip install 'firth[viz]'")

# Royal, young; and, apart from them, cities and their countries.
WORDS = ["king", "queen", "man", "woman", "france", "paris", "italy", "rome"]
ROWS = np.array(
    [
        *([2, 0, 1, 0, 0], [2, 0, 0, 1, 0], [1, 0, 1, 0, 0], [1, 0, 0, 1, 0]),
        *([0, 2, 0, 0, 1], [0, 2, 0, 0, -1], [0, 2, 0.2, 0, 1], [0, 2, 0.2, 0, -1]),
    ],
    np.float32,
)
VECTORS = WordVectors(WORDS, ROWS, counts=np.arange(8, 0, -1))


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Call `firth plot` on vectors in a file; gives (exit status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    VECTORS.save("vectors.bin")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["firth", "plot", "vectors.bin", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        return stopped.value.code, printed.out, printed.err

    return call


# ---- the command -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["king", "queen", "paris"],
        ["--most", 5, "--dark", "--title", "Five"],
        ["king", "paris", "--around", 2],
        ["france", "paris", "italy", "rome", "--pairs"],
        ["--kind", "heatmap", "--most", 8],
        ["man", "woman", "king", "--kind", "analogies"],
    ],
    ids=lambda arguments: " ".join(map(str, arguments)),
)
def test_plot_draws_and_tells_what(run, arguments):
    status, printed, complained = run(*arguments, "-o", "it.png", "--json")
    assert (status, complained) == (0, "")
    facts = json.loads(printed)
    assert facts["target"] == "it.png"
    assert facts["words"] >= 3
    data = Path("it.png").read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    assert data.startswith(b"\x89PNG")
    assert min(width, height) > 500


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "a.png"], "there is nothing to draw; give words"),
        (["king", "-o", "a.png"], "a map by pca needs 2 words or more, got 1"),
        (
            ["king", "qeen", "atlantis", "-o", "a.png"],
            "no vector for 'qeen' (close to it: queen), 'atlantis'; leave out",
        ),
        (["king", "queen", "-o", "a.gif"], "one of .png, .svg, .pdf, or .html to explore, got 'a.gif'"),
        (["king", "queen", "-o", "nowhere/a.png"], "cannot write nowhere/a.png"),
        (
            ["king", "queen", "man", "--pairs", "-o", "a.png"],
            "pairs are words two by two and nothing else, got 3 words",
        ),
        (["king", "queen", "--pairs", "-o", "a.html"], "arrows cannot be drawn as a page to explore"),
        (["king", "man", "--kind", "heatmap", "-o", "a.html"], "a picture of kind heatmap cannot be drawn as a page"),
        (["king", "man", "--kind", "pie", "-o", "a.png"], "kind must be one of map, heatmap, analogies; got 'pie'"),
        (["king", "man", "--kind", "heatmap", "--order", "x", "-o", "a.png"], "order must be one of clusters, given"),
        (["king", "man", "--kind", "analogies", "-o", "a.png"], "analogies take words in threes, or four, got 2"),
        (["king", "man", "king", "--kind", "analogies", "-o", "a.png"], "three or four different words"),
        (["king", "queen", "--method", "pcb", "-o", "a.png"], "method must be one of pca, tsne, umap; got 'pcb'"),
        (
            ["--around", "3", "-o", "a.png", "--most", "4"],
            "around draws the 3 words nearest to each of some words, got no",
        ),
        (["--most", "0", "-o", "a.png"], "most must be a whole number, 1 or more, got 0"),
        (["king", "queen", "--groups", "none.tsv", "-o", "a.png"], "cannot read none.tsv"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(run, arguments, said):
    status, printed, complained = run(*arguments)
    assert (status, printed) == (2, "")
    assert complained.startswith("firth: ")
    assert said in complained
    assert complained.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["vectors.bin"]


# ---- choosing ----------------------------------------------------------------------------------


def test_a_neighbourhood_is_a_word_and_those_nearest_to_it_and_no_word_is_in_two():
    assert neighbourhoods(VECTORS, ["king", "paris"], 2) == {
        "king": ["king", "man", "queen"],
        "paris": ["paris", "rome", "france"],
    }
    close = neighbourhoods(VECTORS, ["king", "queen"], 7)
    assert sorted(word for words in close.values() for word in words) == sorted(WORDS)
    assert all(word in words for word, words in close.items())
    with pytest.raises(BadOption, match="got none"):
        neighbourhoods(VECTORS, [])
    with pytest.raises(UnknownWord, match=r"'kin' \(close to it: king\)"):
        neighbourhoods(VECTORS, ["kin"])


def test_groups_are_read_from_words_tabs_and_names(tmp_path):
    path = tmp_path / "groups.tsv"
    path.write_bytes("\ufeffking\troyal\r\nрим\tcity\n\nthe\nqueen\troyal".encode())
    assert read_groups(path) == {"royal": ["king", "queen"], "city": ["рим"], "": ["the"]}
    path.write_text("a\tb\tc\n")
    with pytest.raises(BadFile, match="line 1 must be a word, a tab and its group"):
        read_groups(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadFile, match="not UTF-8"):
        read_groups(path)
    path.write_text("\n \n")
    with pytest.raises(BadFile, match="has no words"):
        read_groups(path)


def legend(picture):
    return [text.get_text() for text in picture.figure.axes[0].get_legend().get_texts()]


def test_groups_colour_what_is_drawn_or_are_drawn_themselves():
    groups = {"people": ["king", "man", "unheard"], "places": ["rome"]}
    picture = plot(VECTORS, ["king", "queen", "rome"], groups=groups)
    assert picture.words == 3
    assert legend(picture) == ["people", "places", "other"]
    with pytest.raises(UnknownWord, match="'unheard'"):
        plot(VECTORS, groups=groups)
    assert plot(VECTORS, groups={"people": ["king", "man"], "places": ["rome"]}).words == 3


def test_pairs_are_arrows():
    picture = plot(VECTORS, ["france", "paris", "italy", "rome"], pairs=True)
    arrows = [text for text in picture.figure.axes[0].texts if not text.get_text()]
    assert len(arrows) == 2
    (france, italy), (paris, rome) = (line.get_xydata() for line in picture.figure.axes[0].lines)
    starts_and_ends = [(tuple(arrow.xyann), tuple(arrow.xy)) for arrow in arrows]
    assert starts_and_ends == [(tuple(france), tuple(paris)), (tuple(italy), tuple(rome))]


@pytest.mark.parametrize("length", [4, 14, 30])
def test_a_legend_stays_on_the_page(length):
    groups = {str(n) * length: [word] for n, word in enumerate(WORDS[:5])}
    figure = draw_map(VECTORS, groups=groups).figure
    box = figure.axes[0].get_legend().get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert figure.bbox.y0 <= box.y0


# ---- heat maps ---------------------------------------------------------------------------------


def test_a_heat_map_shows_the_cosine_of_each_pair():
    picture = draw_heatmap(VECTORS, WORDS, order="given")
    axes = picture.figure.axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == WORDS
    shown = np.asarray(axes.images[0].get_array())
    for row, word in enumerate(names):
        np.testing.assert_allclose(shown[row], [VECTORS.similarity(word, other) for other in names], atol=1e-6)
    assert axes.images[0].get_clim() == (-1, 1)
    written = [text.get_text() for text in axes.texts]
    assert written[:3] == ["1", f"{VECTORS.similarity('king', 'queen'):.2f}"[1:], ".95"]


@pytest.mark.parametrize("dark", [False, True])
def test_the_numbers_of_a_heat_map_can_be_read(dark):
    from matplotlib.colors import to_hex

    axes = draw_heatmap(VECTORS, WORDS, dark=dark).figure.axes[0]
    squares = axes.images[0]
    for text in axes.texts:
        column, row = text.get_position()
        under = to_hex(squares.cmap(squares.norm(squares.get_array()[row, column])))
        assert contrast(luminance(text.get_color()), luminance(under)) > 3.6


def test_a_heat_map_puts_like_words_together():
    shuffled = ["king", "rome", "man", "paris", "queen", "italy", "woman", "france"]
    names = [text.get_text() for text in draw_heatmap(VECTORS, shuffled).figure.axes[0].get_yticklabels()]
    assert sorted(names) == sorted(WORDS)
    assert set(names[:4]) in ({"king", "queen", "man", "woman"}, {"france", "paris", "italy", "rome"})


def test_the_order_by_likeness_follows_a_line():
    angles = np.radians([0, 50, 10, 40, 20, 30])
    points = np.column_stack([np.cos(angles), np.sin(angles)])
    order = by_likeness(points @ points.T)
    assert order in ([0, 2, 4, 5, 3, 1], [1, 3, 5, 4, 2, 0])


@pytest.mark.parametrize("words", [[], ["king"], [str(i) for i in range(201)]])
def test_a_heat_map_of_too_few_or_too_many_words_is_refused(words):
    with pytest.raises(BadOption, match=f"a heat map takes 2 to 200 words, got {len(words)}"):
        draw_heatmap(VECTORS, words)


# ---- analogies ---------------------------------------------------------------------------------


def test_an_analogy_is_completed_and_drawn_as_a_parallelogram():
    picture = draw_analogies(VECTORS, [("man", "king", "woman"), ("france", "paris", "italy", "rome")])
    first, second = picture.figure.axes
    assert first.get_title(loc="left") == "king − man + woman ≈ queen"
    assert second.get_title(loc="left") == "paris − france + italy ≈ rome"
    assert picture.words == 8
    names = [text.get_text() for text in first.texts if text.get_text()]
    assert names == ["man", "king", "woman", "queen"]


def test_the_first_arrow_points_up_the_second_word_stands_right_and_the_cross_closes_the_parallelogram():
    points, share = _placed(VECTORS, ["man", "king", "woman", "queen"])
    man, king, woman, _, cross = points
    assert king[0] == pytest.approx(man[0])
    assert king[1] > man[1]
    assert woman[0] > man[0]
    np.testing.assert_allclose(cross, king - man + woman, atol=1e-9)
    assert 0 < share <= 1


@pytest.mark.parametrize(
    "analogies", [[], [("man", "king")], ["man"], [("man", "king", "man")], [("a", "b", "c")] * 13]
)
def test_what_is_no_analogy_is_refused(analogies):
    with pytest.raises(BadOption, match=r"analogies to draw must be 1 to 12|an analogy has three or four different"):
        draw_analogies(VECTORS, analogies)


# ---- fonts -------------------------------------------------------------------------------------


def test_letters_that_no_font_has_are_told_once_with_what_to_install(monkeypatch):
    monkeypatch.setattr(fonts, "_system_fonts", list)
    words = ["国王", "король", "राजा"]
    with pytest.warns(UserWarning, match="no font on this machine") as told:
        plot(WordVectors(words, ROWS[:3]), words, title="国")._repr_png_()
    assert len(told) == 1
    assert "fonts-noto-cjk" in str(told[0].message)
    assert "'国王', 'राजा'" in str(told[0].message)
    assert "король" not in str(told[0].message)


def test_a_word_is_written_in_a_font_that_has_its_letters(monkeypatch):
    """Of the fonts that matplotlib brings along, STIX has letters of mathematics that the usual one lacks."""
    from matplotlib import get_data_path

    stix = Path(get_data_path()) / "fonts" / "ttf" / "STIXGeneral.ttf"
    usual = fonts._letters(fonts._usual())
    letter = min(fonts._letters(stix) - usual)
    monkeypatch.setattr(fonts, "_system_fonts", lambda: [stix])
    chosen = fonts.Fonts(["plain", letter])
    assert chosen.of(letter, 9).get_file() == str(stix)
    assert chosen.of("plain", 9).get_file() is None


def test_what_is_drawn_of_a_word_is_one_short_line():
    assert fonts.shown("two\nlines\x00\udcff") == "two\ufffdlines\ufffd\ufffd"
    assert fonts.shown("a" * 100) == "a" * 39 + "…"
    assert fonts.shown("क्\u200dष") == "क्\u200dष"

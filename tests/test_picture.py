"""Maps: the principal components are right, the labels can be read, and the file is a picture."""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.testing import assert_allclose

from firth.errors import BadOption, CannotWrite, MissingExtra, UnknownWord
from firth.visualise import Panel, draw_map, draw_panels
from firth.visualise.labels import place_labels
from firth.visualise.projecting import principal_components

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = (("france", "paris"), ("italy", "rome"), ("japan", "tokyo"), ("peru", "lima"))
NO_LINES = np.empty((0, 2))


def made_up_vectors(count: int = 30) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    words = [word for pair in PAIRS for word in pair] + [f"word{i}" for i in range(count)]
    return {word: random.normal(size=16).astype(np.float32) for word in words}


@pytest.fixture
def matplotlib() -> None:
    pytest.importorskip("matplotlib", reason="maps are drawn by matplotlib, the extra viz")


# ---- principal components --------------------------------------------------------------------------------


def test_components_are_those_of_the_covariance_matrix() -> None:
    matrix = np.random.default_rng(2).normal(size=(40, 7)) * np.arange(1, 8) + 100
    coordinates, shares = principal_components(matrix, 3)
    values, axes = np.linalg.eigh(np.cov(matrix.T))
    expected = (matrix - matrix.mean(axis=0)) @ axes[:, ::-1][:, :3]
    assert_allclose(shares, (values / values.sum())[::-1][:3], rtol=1e-10)
    assert_allclose(np.abs(coordinates), np.abs(expected), atol=1e-10)


def test_the_sign_of_a_component_does_not_depend_on_that_of_the_data() -> None:
    matrix = np.random.default_rng(3).normal(size=(12, 5))
    coordinates, _ = principal_components(matrix)
    mirrored, _ = principal_components(-matrix)
    assert_allclose(np.abs(coordinates), np.abs(mirrored), atol=1e-12)
    for each in (coordinates, mirrored):
        assert (each.max(axis=0) >= -each.min(axis=0)).all()


def test_components_beyond_the_rank_are_zero() -> None:
    coordinates, shares = principal_components(np.array([[1.0], [3.0], [8.0]]), 2)
    assert_allclose(coordinates, [[-3, 0], [-1, 0], [4, 0]])
    assert_allclose(shares, [1, 0])


def test_equal_rows_explain_nothing() -> None:
    coordinates, shares = principal_components(np.ones((5, 4), np.float32))
    assert_allclose(coordinates, 0)
    assert_allclose(shares, 0)


# ---- labels ----------------------------------------------------------------------------------------------


def boxes_of(centres: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.hstack([centres - sizes / 2, centres + sizes / 2])


def overlapping_pairs(boxes: np.ndarray, others: np.ndarray) -> set[tuple[int, int]]:
    return {
        (i, j)
        for i, (left, bottom, right, top) in enumerate(boxes)
        for j, (left2, bottom2, right2, top2) in enumerate(others)
        if left < right2 and left2 < right and bottom < top2 and bottom2 < top
    }


@pytest.mark.parametrize("count", [2, 20, 150])
@pytest.mark.parametrize("spread", [40, 250])
def test_labels_overlap_neither_each_other_nor_a_mark_nor_the_frame(count: int, spread: float) -> None:
    random = np.random.default_rng(count)
    anchors = 500 + spread * random.normal(size=(count, 2)).clip(-1.8, 1.8)
    sizes = np.column_stack([random.uniform(20, 90, count), np.full(count, 18.0)])
    frame = np.array([0, 0, 1000, 1000.0])
    centres = place_labels(anchors, sizes, frame, clearance=5, lines=NO_LINES)
    placed = ~np.isnan(centres).any(axis=1)
    boxes = boxes_of(centres[placed], sizes[placed])
    marks = np.hstack([anchors - 5, anchors + 5])
    assert placed.sum() >= min(count, 20)
    assert overlapping_pairs(boxes, boxes) == {(i, i) for i in range(len(boxes))}
    assert overlapping_pairs(boxes, marks) == set()
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= 1000).all()


def test_a_label_with_room_stands_beside_its_mark() -> None:
    centres = place_labels(
        np.array([[100, 100.0]]),
        np.array([[40, 10.0]]),
        np.array([0, 0, 200, 200.0]),
        clearance=4,
        lines=NO_LINES,
    )
    assert centres[0, 1] == 100
    assert 100 + 20 + 4 <= centres[0, 0] <= 100 + 20 + 4 + 10


def test_a_label_moves_off_a_line() -> None:
    line = np.column_stack([np.linspace(100, 200, 50), np.full(50, 100.0)])
    centres = place_labels(
        np.array([[100, 100.0]]),
        np.array([[40, 10.0]]),
        np.array([0, 0, 200, 200.0]),
        clearance=4,
        lines=line,
    )
    assert centres[0, 0] < 80


def test_a_label_without_room_is_left_out() -> None:
    size, frame = np.array([[40, 10.0]]), np.array([0, 0, 30, 30.0])
    assert np.isnan(place_labels(np.array([[15, 15.0]]), size, frame, clearance=4, lines=NO_LINES)).all()


# ---- pictures --------------------------------------------------------------------------------------------


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert data[-8:-4] == b"IEND"
    width, height = struct.unpack(">II", data[16:24])
    return width, height


@pytest.mark.usefixtures("matplotlib")
def test_a_map_is_a_png_of_sensible_size_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    draw_map(made_up_vectors(), [f"word{i}" for i in range(30)], path, arrows=PAIRS, title="cost in $ and _x^2")
    width, height = png_size(path)
    assert 800 < width < 2000
    assert 600 < height < 2000
    assert path.stat().st_size > 20_000
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("matplotlib")
def test_panels_stand_side_by_side(tmp_path: Path) -> None:
    panel = Panel.of_pairs(("country", "capital"), PAIRS)
    draw_panels(made_up_vectors(), [panel], tmp_path / "one.png")
    draw_panels(made_up_vectors(), [panel, panel], tmp_path / "two.png", title="twice")
    (one, _), (two, _) = png_size(tmp_path / "one.png"), png_size(tmp_path / "two.png")
    assert two == 2 * one


@pytest.mark.usefixtures("matplotlib")
@pytest.mark.parametrize(("name", "begins"), [("map.svg", b"<?xml"), ("map.pdf", b"%PDF"), ("MAP.PNG", b"\x89PNG")])
def test_the_suffix_says_the_format(tmp_path: Path, name: str, begins: bytes) -> None:
    draw_map(made_up_vectors(), ["france", "paris"], tmp_path / name, groups={"city": ["paris"]})
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_words_that_all_have_the_same_vector_are_refused(tmp_path: Path) -> None:
    for vector in (np.zeros(4, np.float32), np.ones(4, np.float32)):
        with pytest.raises(BadOption, match=r"all 3 words have the same vector.*give other words"):
            draw_map(dict.fromkeys(["one", "two", "three"], vector), ["one", "two", "three"], tmp_path / "map.png")


@pytest.mark.usefixtures("matplotlib")
def test_some_words_with_equal_vectors_can_be_drawn() -> None:
    zero, one = np.zeros(4, np.float32), np.ones(4, np.float32)
    assert draw_map({"a": zero, "b": zero, "c": one}, ["a", "b", "c"]).words == 3


@pytest.mark.usefixtures("matplotlib")
def test_a_picture_shows_itself_in_a_notebook_and_leaves_matplotlib_as_it_was() -> None:
    import matplotlib as mpl
    from matplotlib import font_manager, rcParams

    before = (dict(rcParams), len(font_manager.fontManager.ttflist), mpl.get_backend(auto_select=False))
    picture = draw_map(made_up_vectors(), ["france", "paris", "rome"], dark=True, title="Cities")
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert type(picture.figure).__module__ == "matplotlib.figure"
    assert (dict(rcParams), len(font_manager.fontManager.ttflist), mpl.get_backend(auto_select=False)) == before


@pytest.mark.usefixtures("matplotlib")
def test_the_same_words_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        draw_map(
            made_up_vectors(), [], tmp_path / name, groups={"word1": [f"word{i}" for i in range(20)]}, arrows=PAIRS
        )
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.usefixtures("matplotlib")
def test_labels_of_a_picture_overlap_neither_each_other_nor_marks() -> None:
    from matplotlib.text import Text

    vectors = made_up_vectors(150)
    picture = draw_map(vectors, list(vectors), groups={"rome": list(vectors)[:40]}, arrows=PAIRS)
    picture.figure.draw_without_rendering()  # puts them into their places
    (axes,) = picture.figure.axes
    texts = [text for text in axes.texts if text.get_text() in vectors]
    boxes = np.array([Text.get_window_extent(text).extents for text in texts])
    marks = np.vstack([axes.transData.transform(line.get_xydata()) for line in axes.lines])
    assert len(texts) + picture.unlabelled == len(vectors) == len(marks)
    assert picture.unlabelled < 10
    assert overlapping_pairs(boxes, boxes) == {(i, i) for i in range(len(boxes))}
    assert overlapping_pairs(boxes, np.hstack([marks, marks])) == set()


@pytest.mark.usefixtures("matplotlib")
def test_the_word_a_group_is_named_after_is_bold() -> None:
    picture = draw_map(made_up_vectors(), [], groups={"rome": ["rome", "lima"], "city": ["paris"]})
    weights = {text.get_text(): text.get_fontweight() for text in picture.figure.axes[0].texts}
    assert weights == {"rome": "bold", "lima": "normal", "paris": "normal"}


@pytest.mark.usefixtures("matplotlib")
def test_more_words_than_there_is_paper_for_are_marks_without_labels() -> None:
    vectors = made_up_vectors(1000)
    picture = draw_map(vectors, list(vectors))
    assert picture.unlabelled >= 600
    assert f"no room for {picture.unlabelled} of 1,008 labels" in [
        text.get_text() for text in picture.figure.axes[0].texts
    ]


def test_one_word_for_a_list_of_words_and_vectors_with_nan_are_refused() -> None:
    with pytest.raises(BadOption, match="words must be a list of words, got 'france'"):
        draw_map(made_up_vectors(), "france")
    with pytest.raises(BadOption, match="finite numbers, that of 'b' is not"):
        draw_map({"a": np.zeros(3, np.float32), "b": np.array([1, np.nan, 2], np.float32)}, ["a", "b"])


def test_unknown_words_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownWord, match=r"'atlantis'.*'eldorado'"):
        draw_map(made_up_vectors(), ["france", "atlantis", "eldorado"], tmp_path / "map.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [[], ["france"], ["france", "france"]])
def test_a_map_needs_two_words(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(BadOption, match="2 words or more"):
        draw_map(made_up_vectors(), words, tmp_path / "map.png")


def test_a_picture_needs_a_panel(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="one panel or more"):
        draw_panels(made_up_vectors(), [], tmp_path / "map.png")


@pytest.mark.parametrize("name", ["map.bmp", "map"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadOption, match=r"\.png, \.svg, \.pdf, got"):
        draw_map(made_up_vectors(), ["france", "paris"], tmp_path / name)


@pytest.mark.usefixtures("matplotlib")
def test_a_missing_folder_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"nowhere.map\.png"):
        draw_map(made_up_vectors(), ["france", "paris"], tmp_path / "nowhere" / "map.png")


@pytest.mark.usefixtures("matplotlib")
def test_a_picture_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder.png").mkdir()
    for path in (tmp_path / "file" / "map.png", tmp_path / "folder.png"):
        with pytest.raises(CannotWrite, match="cannot write"):
            draw_map(made_up_vectors(), ["france", "paris"], path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.png"]
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.usefixtures("matplotlib")
def test_a_picture_is_drawn_over_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    path.write_text("old")
    draw_map(made_up_vectors(), ["france", "paris"], path, groups={"_a $ sign": ["france"], "empty": []})
    png_size(path)


def test_without_matplotlib_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install 'firth\[viz\]'"):
        draw_map(made_up_vectors(), ["france", "paris"], tmp_path / "map.png")


# ---- panels ----------------------------------------------------------------------------------------------


def test_a_word_belongs_to_its_first_group_and_words_of_none_stand_apart() -> None:
    panel = Panel(words=["sea", "rome"], groups={"a": ["rome"], "b": ["rome", "oslo"]}, arrows=[("sea", "sky")])
    assert panel.all_words() == ["sea", "rome", "oslo", "sky"]
    assert panel.members() == {"a": ["rome"], "b": ["oslo"], "": ["sea", "sky"]}


def test_pairs_become_two_groups_with_arrows() -> None:
    panel = Panel.of_pairs(("country", "capital"), PAIRS)
    assert panel.members() == {
        "country": ["france", "italy", "japan", "peru"],
        "capital": ["paris", "rome", "tokyo", "lima"],
    }
    assert tuple(panel.arrows) == PAIRS

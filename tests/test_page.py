"""Pages to explore, in a real browser without network: search, hover, zoom, neighbours; words that look like code."""

import json
import re
import sys
import time

import numpy as np
import pytest
from browser import CHROMIUM, Browser

from firth import WordVectors
from firth.errors import BadOption, CannotWrite, MissingExtra
from firth.visualise import draw_page, page, plot

pytest.importorskip("plotly", reason="pages are drawn by plotly: pip install 'firth[plot]'")

ATTACKS = [
    "</script><script>document.title='attacked'</script>",
    "<img src=x onerror=\"document.title='attacked'\">",
    '<a href="javascript:document.title=1">b</a>',
    "<!--",
    "&lt;b&gt;",
    "{data}",
    "quote'\"\\",
    "\u2028\u202e\udcff\x00",
]
PLAIN = ["king", "queen", "kings", "König", "король", "国王", "the"]
GROUPS = {"royal": PLAIN[:6], "<i>code</i>": ATTACKS}


def made_up():
    random = np.random.default_rng(4)
    words = [*PLAIN, *ATTACKS, *(f"word{i}" for i in range(185))]
    return WordVectors(words, random.normal(size=(200, 12)).astype(np.float32), counts=np.arange(200, 0, -1) * 1000)


@pytest.fixture(scope="module")
def vectors():
    return made_up()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not CHROMIUM:
        pytest.skip("there is no Chromium to open pages with (on Debian: apt install chromium)")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def written(vectors, tmp_path_factory):
    """A page with all words, on the disk."""
    path = tmp_path_factory.mktemp("page") / "map.html"
    draw_page(vectors, vectors.words, path, groups=GROUPS, title="Words & <b>codes</b>", topn=5)
    return path


@pytest.fixture
def opened(browser, written):
    """The page, opened anew, in light colours."""
    browser.asked_for.clear()
    browser.errors.clear()
    browser.prefer("light")
    browser.open(written)
    browser.wait_for("document.documentElement.dataset.ready === 'yes'")
    return browser


def text_of(browser, selector):
    return browser.value(f"document.querySelector({selector!r}).textContent")


def texts_of(browser, selector):
    return browser.value(f"[...document.querySelectorAll({selector!r})].map(each => each.textContent)")


def spans(browser):
    """How much of the map is shown, from left to right and from bottom to top."""
    return browser.value(
        "['xaxis', 'yaxis'].map(name => document.getElementById('map').layout[name].range).map(([a, b]) => b - a)"
    )


def place_of(browser, word):
    """Where a word's mark stands on the screen."""
    return browser.value(f"""(() => {{
        const map = document.getElementById("map"), box = map.getBoundingClientRect();
        const number = JSON.parse(document.getElementById("data").textContent).words.indexOf({json.dumps(word)});
        for (const trace of map.data) {{
            const place = (trace.customdata || []).indexOf(number);
            if (place < 0) continue;
            const {{ xaxis: across, yaxis: down }} = map._fullLayout;
            return [
                box.left + across._offset + across.d2p(trace.x[place]),
                box.top + down._offset + down.d2p(trace.y[place]),
            ];
        }}
    }})()""")


def search(browser, text):
    browser.value("(() => { const box = document.getElementById('search'); box.value = ''; box.focus(); })()")
    browser.type(text)


# ---- in the browser ----------------------------------------------------------------------------


def test_a_page_draws_itself_and_asks_for_nothing(opened, written):
    assert text_of(opened, "h1") == "Words & <b>codes</b>"
    assert re.match(r"200 words by principal components, which show \d+ % of the variance$", text_of(opened, "#about"))
    assert opened.value("document.querySelectorAll('#map canvas').length") > 0  # WebGL
    assert opened.value("document.getElementById('map').data.map(each => each.type)")[:3] == ["scattergl"] * 3
    assert len(opened.value("document.getElementById('map').layout.annotations")) > 20
    assert [address for address in opened.asked_for if not address.startswith("data:")] == [written.as_uri()]
    assert opened.errors == []


def test_the_browser_itself_forbids_to_fetch_anything(opened):
    refused = "fetch('http://127.0.0.1:9/').then(() => 'fetched', error => error.message)"
    assert opened.value(refused) == "Failed to fetch"
    assert any("Content Security Policy" in error for error in opened.errors)


def test_search_finds_and_shows_the_neighbours_by_the_whole_vectors(opened, vectors):
    whole = spans(opened)
    search(opened, "KING")
    assert texts_of(opened, "#found li") == ["king", "kings"]
    opened.press("Enter")
    assert text_of(opened, "#word") == "king"
    assert text_of(opened, "#facts") == "in the group royal; occurs 200,000 times"
    expected = vectors.most_similar("king", topn=5)
    assert texts_of(opened, "#neighbours bdi") == [word for word, _ in expected]
    assert texts_of(opened, "#neighbours span") == [f"{score:.2f}" for _, score in expected]
    assert all(now < before for now, before in zip(spans(opened), whole, strict=True))  # it went there
    assert "<b>king</b>" in opened.value("document.getElementById('map').layout.annotations.map(each => each.text)")
    opened.press("Escape")
    assert opened.value("document.getElementById('chosen').hidden") is True


def test_search_looks_within_words_in_any_script_and_says_where_there_is_none(opened):
    for typed, found in (("рол", ["король"]), ("王", ["国王"]), ("könig", ["König"]), ("ueen", ["queen"])):
        search(opened, typed)
        assert texts_of(opened, "#found li") == found
    search(opened, "atlantis")
    assert texts_of(opened, "#found li") == ["no such word on this map"]


def test_pointing_at_a_mark_shows_its_word_and_a_click_its_neighbours(opened, vectors):
    opened.move(*place_of(opened, "queen"))
    opened.wait_for("(document.querySelector('.hoverlayer')?.textContent || '').includes('queen')")
    opened.click(*place_of(opened, "queen"))
    opened.wait_for("document.getElementById('word').textContent === 'queen'")
    expected = [word for word, _ in vectors.most_similar("queen", topn=5)]
    assert texts_of(opened, "#neighbours bdi") == expected
    opened.value("document.querySelector('#neighbours button').click()")
    assert text_of(opened, "#word") == expected[0]


def test_the_wheel_zooms_dragging_moves_and_a_double_click_shows_all(opened):
    whole, middle = spans(opened), (450, 400)
    opened.move(*middle)
    opened.mouse("mouseWheel", *middle, deltaX=0, deltaY=-200)
    opened.wait_for(f"document.getElementById('map').layout.xaxis.range.reduce((a, b) => b - a) < {whole[0] * 0.95}")
    zoomed = spans(opened)
    left = opened.value("document.getElementById('map').layout.xaxis.range[0]")
    opened.drag(middle, (350, 400))
    opened.wait_for(f"document.getElementById('map').layout.xaxis.range[0] > {left}")
    assert spans(opened) == pytest.approx(zoomed)
    time.sleep(0.5)  # or the drag would count as the first click
    opened.move(*middle)
    for count in (1, 2):
        for kind in ("mousePressed", "mouseReleased"):
            opened.mouse(kind, *middle, button="left", clickCount=count)
    opened.wait_for(
        f"Math.abs(document.getElementById('map').layout.xaxis.range.reduce((a, b) => b - a) - {whole[0]}) < 1e-6"
    )


def test_words_are_text_even_where_they_look_like_code(opened):
    for word in ATTACKS[:7]:
        search(opened, word)
        assert word in texts_of(opened, "#found li")
        opened.press("Enter")
        assert text_of(opened, "#word") == word
        assert text_of(opened, "#facts").startswith("in the group <i>code</i>; occurs")
    shown = opened.wait_for("document.querySelector('.annotation-text, .annotation')?.closest('svg').textContent")
    assert opened.value("document.title") == "Words & <b>codes</b>"
    assert "<img src=x onerror=" in shown  # on the map, as letters
    assert opened.value("document.querySelectorAll('img, i, a[href*=javascript]').length") == 0
    assert opened.errors == []


def test_the_page_follows_the_browser_s_colours(opened):
    paper = "getComputedStyle(document.body).backgroundColor + document.getElementById('map').layout.paper_bgcolor"
    light = opened.value(paper)
    opened.prefer("dark")
    dark = opened.wait_for(f"(now => now !== {light!r} && now.endsWith('#15181c') && now)({paper})")
    assert (light, dark) == ("rgb(255, 255, 255)#ffffff", "rgb(21, 24, 28)#15181c")


# ---- without one -------------------------------------------------------------------------------


def data_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_page_holds_the_words_as_they_are(vectors, written):
    text = written.read_text(encoding="utf-8")
    data = data_of(text)
    assert data["words"] == list(vectors.words)
    assert data["groups"] == ["", "royal", "<i>code</i>"]
    assert "attacked'</script>" not in text.lower()
    assert len(text) < 6_000_000


def test_a_page_of_many_words_grows_by_some_sixty_bytes_a_word():
    words = [f"{i}" for i in range(20_000)]
    vectors = WordVectors(words, np.random.default_rng(1).normal(size=(20_000, 4)).astype(np.float32))
    small, large = (len(draw_page(vectors, words[:count], threads=2).html) for count in (100, 20_000))
    assert (large - small) / 19_900 < 65


def test_a_page_shows_itself_in_a_notebook(vectors):
    shown = draw_page(vectors, ["king", ATTACKS[0]])._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert shown.count("<") == 2  # the frame alone


def test_plot_writes_a_page_where_the_name_says_so(vectors, tmp_path):
    plot(vectors, ["king", "queen"], tmp_path / "map.html", around=3)
    assert set(data_of((tmp_path / "map.html").read_text(encoding="utf-8"))["groups"]) == {"king", "queen"}


def test_what_cannot_be_a_page_is_refused(vectors, tmp_path, monkeypatch):
    with pytest.raises(BadOption, match=r"end its name in \.html"):
        draw_page(vectors, ["king", "queen"], tmp_path / "map.png")
    with pytest.raises(BadOption, match="2 words or more, got 1"):
        draw_page(vectors, ["king"])
    with pytest.raises(BadOption, match="topn must be 100 or less on a page, got 101"):
        draw_page(vectors, ["king", "queen"], topn=101)
    with pytest.raises(CannotWrite):
        draw_page(vectors, ["king", "queen"], tmp_path / "nowhere" / "map.html")
    monkeypatch.setattr(page, "MOST_WORDS", 3)
    with pytest.raises(BadOption, match="a page holds 3 words at most, got 4"):
        draw_page(vectors, ["king", "queen", "the", "kings"])
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(MissingExtra, match=r"needs the package plotly.*pip install 'firth\[plot\]'"):
        draw_page(vectors, ["king", "queen"])

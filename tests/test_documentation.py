"""The documentation is true: its code runs and prints what it says, and its site has no dead ends."""

import doctest
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

import firth
from firth.world import sentences

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md"))
NEEDED_BY_PAGES = {
    "import torch": "torch",
    "import networkx": "networkx",
    "from tokenizers": "tokenizers",
    "matplotlib": "matplotlib",
    "sklearn": "sklearn",
    "draw_page": "plotly",
    'build_index("usearch': "usearch",
    'astype("pq"': "faiss",
}


def blocks(page):
    """The blocks of Python of a page, in order, sharing one namespace; ... in what they print stands for anything."""
    sybil = pytest.importorskip("sybil", reason="to run the documentation: pip install sybil")
    from sybil.parsers.markdown import PythonCodeBlockParser

    return sybil.Sybil(parsers=[PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS)]).parse(page).examples()


def name(page):
    return page.relative_to(DOCS).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if "```python" in page.read_text("utf-8")], ids=name)
def test_the_code_of_a_page_runs_and_prints_what_it_says(page, tmp_path, monkeypatch):
    for said, needed in NEEDED_BY_PAGES.items():
        if said in page.read_text(encoding="utf-8"):
            pytest.importorskip(needed, reason=f"{name(page)} needs {needed}: pip install {needed}")
    monkeypatch.chdir(tmp_path)
    run = 0
    for example in blocks(page):
        example.evaluate()
        run += 1
    assert run


@pytest.mark.parametrize("page", sorted((DOCS / "guide").glob("[0-9]*.md")), ids=name)
def test_each_chapter_has_an_equation_source_a_figure_and_an_exercise(page):
    text = page.read_text(encoding="utf-8")
    for part in ("\n$$\n", "\n```source\n", "](../figures/", '\n!!! question "Exercise"', '\n??? success "Solution"'):
        assert part in text, part


README_SAYS = ["the king sat on his throne", "man woman queen", "paris france italy", "breakfast cereal dinner"]
README_SAYS += ["in new york"]


def test_the_code_of_the_readme_runs(tmp_path, monkeypatch):
    """In a folder that holds the files it names: small ones, of a made-up world and the words it asks for."""
    pytest.importorskip("torch", reason="the README needs torch: pip install 'firth[torch]'")
    monkeypatch.chdir(tmp_path)
    lines = [" ".join(sentence) for sentence in sentences(1000)] + 10 * README_SAYS
    Path("corpus.txt").write_text("\n".join(lines), encoding="utf-8")
    parquet.write_table(pyarrow.table({"text": lines}), "reviews.parquet")
    firth.WordVectors(["the", "cat"], np.eye(2, 4, dtype=np.float32)).save("vectors.bin")
    run = 0
    for example in blocks(ROOT / "README.md"):
        example.evaluate()
        run += 1
    assert run == 4


def test_a_wrong_output_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 1\n```\n\n    ```python\n    >>> x + 1\n    3\n    ```\n")
    first, second = blocks(page)
    first.evaluate()
    with pytest.raises(Exception, match="Expected"):
        second.evaluate()


def test_the_tests_that_pages_name_are_there():
    named = {match for page in PAGES for match in re.findall(r"`(test_\w+\.py)::(test_\w+)`", page.read_text("utf-8"))}
    assert named
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), f"{file}::{test}"


# ---- figures -----------------------------------------------------------------------------------


TRAINED = {"map.svg", "softmax.svg", "training.svg"}  # their numbers hang on the machine's rounding


def shape_of(figure):
    """A figure's elements in order, what texts say, and numbers rounded: fonts and last digits may differ."""
    text = figure.read_text(encoding="utf-8")
    comments = re.findall(r"<!-- (.*?) -->", text)  # matplotlib writes each text beside its glyphs
    numbers = [] if figure.name in TRAINED else [round(float(n)) for n in re.findall(r"[ML] (-?[\d.]+)", text)]
    return comments, numbers


def test_each_figure_of_the_guide_is_drawn_by_its_script(tmp_path):
    pytest.importorskip("matplotlib", reason="figures need matplotlib: pip install 'firth[viz]'")
    subprocess.run([sys.executable, DOCS / "figures", tmp_path], check=True, cwd=tmp_path)
    drawn = {path.name for path in tmp_path.glob("*.svg")}
    assert drawn == {path.name for path in (DOCS / "figures").glob("*.svg")}
    for figure in drawn:
        assert shape_of(tmp_path / figure) == shape_of(DOCS / "figures" / figure), f"{figure} is stale: make figures"
    guide = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "guide").glob("*.md"))
    assert all(f"../figures/{figure})" in guide for figure in drawn)


# ---- the site ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built with warnings as errors from a copy of what it is made of."""
    for module in ("zensical", "mkdocstrings", "latex2mathml"):
        pytest.importorskip(module, reason=f"the site needs {module}: pip install --group docs")
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "zensical.toml", folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["docs", "src"])}
    built = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "site"


class Page(HTMLParser):
    """The links, images, anchors and text of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.fetched, self.anchors, self.text = [], [], {"", "__skip"}, []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.anchors.add(attributes["id"])
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if tag in ("img", "script", "iframe") and "src" in attributes:
            self.fetched.append(attributes["src"])
        if tag == "link" and attributes.get("rel") in ("stylesheet", "icon"):
            self.fetched.append(attributes["href"])

    def handle_data(self, data):
        self.text.append(data)


def test_every_link_of_the_site_leads_somewhere(site):
    pages = {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(pages) == len(PAGES)
    dead = []
    for path, page in pages.items():
        for link in [*page.links, *page.fetched]:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in pages[target].anchors):
                dead.append(f"{path.relative_to(site)} -> {link}")
    assert not dead


def test_every_page_is_in_the_navigation_and_the_other_way_round():
    def paths(nav):
        for entry in nav:
            for value in entry.values() if isinstance(entry, dict) else [entry]:
                yield from [value] if isinstance(value, str) else paths(value)

    nav = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    assert sorted(paths(nav)) == sorted(map(name, PAGES))


def test_pages_fetch_nothing_from_elsewhere(site):
    for path in site.rglob("*.html"):
        elsewhere = [source for source in Page(path).fetched if urlsplit(source).netloc]
        assert path.name == "404.html" or not elsewhere, path


def equations_of(page):
    """How many equations a page has, between $$ or $, outside code."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`]*`", "", text)
    displayed = re.findall(r"^ *\$\$\n.*?^ *\$\$$", text, flags=re.MULTILINE | re.DOTALL)
    for each in displayed:
        text = text.replace(each, "")
    return len(displayed) + text.count("$") // 2


def test_equations_are_drawn_without_scripts(site):
    for page in (DOCS / "guide").glob("*.md"):
        built = (site / "guide" / page.name).with_suffix(".html")
        text = "".join(Page(built).text)
        assert built.read_text(encoding="utf-8").count("<math") == equations_of(page), page
        assert "$" not in text, page
        assert "\\frac" not in text, page


def test_source_code_is_on_the_page(site):
    text = "".join(Page(site / "guide" / "03-softmax.html").text)
    assert "src/firth/backends/reference.py" in text
    assert "slopes[rows, targets] -= 1.0" in text, "a line of it"


def test_every_option_is_in_the_reference_with_its_default_and_help(site):
    text = " ".join("".join(Page(site / "reference" / "training.html").text).split())
    for each in fields(firth.TrainingOptions):
        assert each.metadata["help"].replace("`", "") in text
        assert each.default is None or repr(each.default) in text


def test_every_public_name_is_in_the_reference(site):
    html = "".join(path.read_text(encoding="utf-8") for path in (site / "reference").glob("*.html"))
    shown_as_tables = {"TrainingOptions", "CorpusOptions", "EvaluationOptions", "PhraseOptions", "__version__"}
    shown_as_tables |= {"GraphOptions", "NextItemOptions", "WalkOptions"}
    for public in set(firth.__all__) - shown_as_tables:
        assert f'.{public}"' in html, public


@pytest.mark.parametrize("block", ["source\nfirth.backends.reference.nothing", "source\nnothing.at.all"])
def test_source_that_is_not_there_stops_the_build(block):
    pytest.importorskip("latex2mathml", reason="the site needs latex2mathml: pip install --group docs")
    markdown = pytest.importorskip("markdown", reason="the site needs zensical: pip install --group docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        with pytest.raises(LookupError, match="there is no"):
            markdown.markdown(f"```{block}\n```", extensions=["site_markdown"])

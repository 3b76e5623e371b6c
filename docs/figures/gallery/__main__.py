"""Draws the pictures of docs/gallery.md: python docs/figures/gallery [folder]. Needs the extra plot, and Chromium."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from firth import Word2Vec
from firth.visualise import draw_analogies, draw_heatmap, draw_map, draw_page, neighbourhoods
from firth.world import ADJECTIVES, ANIMALS, COUNTRIES, RELATIONS, VERBS, sentences

if TYPE_CHECKING:
    from firth import WordVectors
    from firth.visualise import Picture

HERE = Path(__file__).parent
DOTS_PER_INCH = 100
COLOURS = 240  # of a picture: letters stay smooth, and files small
WINDOW, FRAME = (1200, 780), 130  # of a browser, whose lower edge stays white where it draws no window

TABLES = {
    "countries": (COUNTRIES, "country"),
    "capitals": (COUNTRIES, "capital"),
    "peoples": (COUNTRIES, "people"),
    "animals": (ANIMALS, "adult"),
    "their young": (ANIMALS, "young"),
    "verbs": (VERBS, "base"),
    "past tense": (VERBS, "past"),
    "-ing": (VERBS, "going"),
    "adjectives": (ADJECTIVES, "plain"),
    "comparatives": (ADJECTIVES, "more"),
}
KINDS = {name: [row[column][0] for row in table[:14]] for name, (table, column) in TABLES.items()}
SOME = ["king", "queen", "prince", "man", "woman", "france", "italy", "japan", "paris", "rome", "tokyo"]
SOME += ["dog", "cat", "puppy", "kitten", "walked", "swam", "taller"]


def main(folder: Path) -> None:
    """Train on the made-up world and draw every picture into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    vectors = Word2Vec(vector_size=64, workers=1).fit(sentences(100_000), progress=False, cache=False).vectors
    keep(draw_map(vectors, groups=KINDS, method="tsne", title="Ten kinds of words by t-SNE"), folder / "tsne.png")
    keep(draw_map(vectors, groups=KINDS, method="umap", title="The same by UMAP", dark=True), folder / "umap.png")
    around = neighbourhoods(vectors, ["king", "paris", "dog", "walked", "taller"], 7)
    keep(draw_map(vectors, groups=around, title="Five words and their nearest (PCA)"), folder / "pca.png")
    pairs = RELATIONS["country", "capital"][:14]
    groups = {"country": [country for country, _ in pairs], "capital": [capital for _, capital in pairs]}
    keep(draw_map(vectors, groups=groups, arrows=pairs, title="Countries and capitals"), folder / "arrows.png")
    # Its shades must not come in steps.
    draw_heatmap(vectors, SOME, title="Cosines").figure.savefig(folder / "heatmap.png", dpi=DOTS_PER_INCH)
    analogies = [("man", "king", "woman"), ("france", "paris", "italy"), ("walk", "walked", "swim")]
    keep(draw_analogies(vectors, [*analogies, ("dog", "puppy", "cat")]), folder / "analogies.png")
    photograph(vectors, folder / "page.png")


def keep(picture: Picture, path: Path) -> None:
    """Write a picture in few colours."""
    file = io.BytesIO()
    picture.figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
    reduce(Image.open(file), path)


def reduce(image: Image.Image, path: Path) -> None:
    """Write an image as a PNG of few colours."""
    image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def photograph(vectors: WordVectors, path: Path) -> None:
    """What a browser shows of a page with the 2,000 most frequent words, after a search for a word."""
    chromium = shutil.which("chromium") or sys.exit("the picture of the page needs Chromium: apt install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        page, shot = Path(scratch) / "map.html", Path(scratch) / "shot.png"
        groups = {name: KINDS[name] for name in ("countries", "capitals", "animals", "their young")}
        draw_page(vectors, vectors.words[:2000], page, groups=groups, method="tsne", title="A made-up world")
        flags = ["--headless", "--no-sandbox", "--enable-unsafe-swiftshader", "--hide-scrollbars", "--no-first-run"]
        size = f"--window-size={WINDOW[0]},{WINDOW[1]}"
        profile = f"--user-data-dir={scratch}/profile"
        command = [chromium, *flags, size, profile, "--virtual-time-budget=8000", f"--screenshot={shot}"]
        subprocess.run([*command, f"{page.as_uri()}#kitten"], check=True, capture_output=True)
        reduce(Image.open(shot).crop((0, 0, WINDOW[0], WINDOW[1] - FRAME)), path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)

"""Countries and their capitals on two principal components, trained on a made-up world."""

from pathlib import Path

from firth import Word2Vec
from firth.visualise import draw_map
from firth.world import RELATIONS, sentences


def draw(path: Path) -> None:
    """One mark for each word, an arrow for each pair."""
    vectors = Word2Vec(vector_size=64, workers=1).fit(sentences(100_000), progress=False, cache=False).vectors
    pairs = RELATIONS["country", "capital"][:12]
    groups = {"country": [country for country, _ in pairs], "capital": [capital for _, capital in pairs]}
    draw_map(vectors, (), path, groups=groups, arrows=pairs)

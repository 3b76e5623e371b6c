"""The demo: a made-up world, trained before one's eyes, with neighbours, analogies and a picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from firth.callbacks import Callback, Progress
from firth.errors import BadOption, CannotWrite, MissingExtra
from firth.storage import replaced
from firth.vectors import WordVectors
from firth.visualise import Panel, draw_panels
from firth.word2vec import Word2Vec
from firth.world import ANALOGIES, RELATIONS, sentences

SHOWN_WORDS = ("king", "paris", "swimming", "taller", "kitten")
SHOWN_ANALOGIES = (
    ("man", "king", "woman", "queen"),
    ("france", "paris", "italy", "rome"),
    ("walked", "walking", "swam", "swimming"),
)
FEWEST_SENTENCES = 10_000
VECTOR_SIZE = 64  # enough for some 4,000 words, and quick
Say = Callable[[str], None]


class _Losses(Callback):
    """Tells the loss of each epoch."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def on_epoch_end(self, progress: Progress) -> None:
        self._say(f"  epoch {progress.epoch}: loss {progress.loss:.4f}")


def run(
    folder: Path, *, count: int = 200_000, seed: int = 1, workers: int | None = None, quiet: bool = False
) -> dict[str, Any]:
    """Write a corpus into `folder`, train on it, show what was learnt; give the same as plain values."""
    began = time.perf_counter()
    if count < FEWEST_SENTENCES:
        raise BadOption(f"sentences must be {FEWEST_SENTENCES:,} or more, got {count:,}: fewer teach too little")
    model = Word2Vec(vector_size=VECTOR_SIZE, seed=seed, workers=workers)

    def say(line: str) -> None:
        if not quiet:
            print(line, flush=True)

    folder = _made(folder)
    corpus, model_file, picture = folder / "corpus.txt", folder / "model.safetensors", folder / "map.png"
    say(f"Making up a small world in {count:,} sentences: it is synthetic, no real text. ({corpus})")
    _write_corpus(corpus, count, seed)
    for line in corpus.read_text(encoding="utf-8").splitlines()[:3]:
        say(f"  {line}")
    say(f"\nTraining {model!r} on it (the first time, compiling takes some seconds more)")
    model.fit(corpus, callbacks=[_Losses(say)], progress=False)
    speed = model.state.words / model.seconds.training
    say(f"  {model.state.words:,} words in {model.seconds.training:.1f} s: {speed / 1e6:.1f} M words/s")
    vectors = model.vectors
    model.save(model_file)
    _show_neighbours(vectors, say)
    answers = _show_analogies(vectors, say)
    correct = _correct(vectors, ANALOGIES)
    say(f"  all {len(ANALOGIES)} analogies of this world: {correct / len(ANALOGIES):.1%} right")
    drawn = _draw(vectors, picture, say)
    seconds = time.perf_counter() - began
    say(
        f"\nIt took {seconds:.0f} s. Now train on your own text, a sentence or paragraph per line:\n"
        "  firth train your-text.txt -o model.safetensors\n"
        "  firth similar model.safetensors king"
    )
    return {
        "words": model.state.words,
        "vocabulary": len(vectors),
        "losses": list(model.losses),
        "words_per_second": speed,
        "analogies": answers,
        "analogies_correct": correct,
        "analogies_total": len(ANALOGIES),
        "model": str(model_file),
        "picture": str(picture) if drawn else None,
        "seconds": seconds,
    }


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"cannot make the folder {folder}: {error.strerror}; choose another with --folder") from error
    return folder


def _write_corpus(path: Path, count: int, seed: int) -> None:

    with replaced(path) as file:
        for sentence in sentences(count, seed):
            file.write((" ".join(sentence) + "\n").encode())


def _show_neighbours(vectors: WordVectors, say: Say) -> None:
    say("\nNearest words")
    for word in SHOWN_WORDS:
        found = ", ".join(f"{other} {score:.2f}" for other, score in vectors.most_similar(word, topn=5))
        say(f"  {word:<10} {found}")


def _show_analogies(vectors: WordVectors, say: Say) -> list[dict[str, Any]]:
    say("\nAnalogies")
    answers = []
    for a, b, c, expected in SHOWN_ANALOGIES:
        (answer, score), *_ = vectors.analogy(a, b, c, topn=1)
        say(f"  {b} − {a} + {c} = {answer} ({score:.2f})" + ("" if answer == expected else f", expected {expected}"))
        answers.append({"a": a, "b": b, "c": c, "expected": expected, "answer": answer})
    return answers


def _correct(vectors: WordVectors, questions: Sequence[tuple[str, str, str, str]]) -> int:
    return sum(
        all(word in vectors for word in question) and vectors.analogy(*question[:3], topn=1)[0][0] == question[3]
        for question in questions
    )


def _draw(vectors: WordVectors, path: Path, say: Say) -> bool:
    panels = [
        Panel.of_pairs(("man", "woman"), RELATIONS["male", "female"][:10], "king − man + woman = queen"),
        Panel.of_pairs(("country", "capital"), RELATIONS["country", "capital"][:14], "Paris − France + Italy = Rome"),
        Panel.of_pairs(
            ("past", "participle"), RELATIONS["past", "participle"][:12], "walking − walked + swam = swimming"
        ),
        Panel.of_pairs(("adult", "young"), RELATIONS["adult", "young"][:12], "animals and their young"),
    ]
    try:
        draw_panels(vectors, panels, path, title="A made-up world in two dimensions (PCA)")
    except MissingExtra as error:
        say(f"\nNo picture: {error}")
        return False
    say(f"\nA picture: {path}")
    return True

"""What benchmarks run on: a text, unpacked and cut once, and the sets that judge vectors."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import platform
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from firth.evaluate import evaluate_analogies, evaluate_similarity
from firth.vectors import WordVectors

OPENERS: dict[str, Callable[[Path], IO[bytes]]] = {".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}
CORPUS = "text17.txt.xz"
ANALOGIES = {"Google": "questions-words.txt"}
SIMILARITIES = {"MEN": "men.tsv", "WS-353": "ws353.tsv", "SimLex-999": "simlex999.tsv", "RW": "rw.tsv"}
SETS = (*ANALOGIES, *SIMILARITIES)
WORDS_A_LINE = 20  # of made-up texts


@dataclass(frozen=True)
class Text:
    """A plain text file, a sentence per line, and what `min_count` leaves of it."""

    path: Path
    tokens: int
    vocabulary: int
    kept_tokens: int


def corpora_folder() -> Path | None:
    """The folder that FIRTH_CORPORA names, if any."""
    named = os.environ.get("FIRTH_CORPORA")
    return Path(named) if named else None


def chosen_corpus(given: Path | None) -> Path:
    """The corpus given, else the usual one under FIRTH_CORPORA."""
    folder = corpora_folder()
    if given is None and folder is None:
        raise SystemExit(f"no corpus: give --corpus FILE, or set FIRTH_CORPORA to a folder that holds {CORPUS}")
    path = given or Path(folder or "") / CORPUS
    if not path.is_file():
        raise SystemExit(f"no corpus at {path}; correct --corpus or FIRTH_CORPORA")
    return path


def prepared(source: Path, target: Path, tokens: int | None, min_count: int) -> Text:
    """Unpack `source` into `target`: whole lines, until there are `tokens` tokens."""
    counts: Counter[bytes] = Counter()
    read = 0
    with OPENERS.get(source.suffix, Path.open)(source, "rb") as lines, target.open("wb") as file:
        for line in lines:
            if tokens is not None and read >= tokens:
                break
            words = line.split()
            counts.update(words)
            read += len(words)
            file.write(line)
    kept = [count for count in counts.values() if count >= min_count]
    return Text(target, read, len(kept), sum(kept))


def made_up(target: Path, tokens: int, vocabulary: int, seed: int = 1, *, each: int = 1) -> Text:
    """Write a text of words that are drawn by Zipf's law (exponent 1), after `each` of every word."""
    if tokens < each * vocabulary:
        raise SystemExit(
            f"{vocabulary:,} words need a text of {each * vocabulary:,} tokens, got {tokens:,}; ask for a longer one"
        )
    generator = np.random.default_rng(seed)
    upto = np.cumsum(1 / np.arange(1, vocabulary + 1))
    drawn = np.searchsorted(upto, generator.random(tokens - each * vocabulary) * upto[-1])
    numbers = generator.permutation(np.concatenate([np.tile(np.arange(vocabulary), each), drawn])).tolist()
    words = [f"w{number}" for number in range(vocabulary)]
    with target.open("w", encoding="ascii") as file:
        for first in range(0, tokens, WORDS_A_LINE):
            file.write(" ".join([words[number] for number in numbers[first : first + WORDS_A_LINE]]) + "\n")
    return Text(target, tokens, vocabulary, tokens)


def machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def quality(vectors: Path, sets: Path) -> dict[str, float | None]:
    """Analogies in percent and Spearman's correlation × 100, of those words that have vectors; None where none has."""
    read = WordVectors.load(vectors)
    scores = {name: evaluate_analogies(read, sets / file).total.accuracy for name, file in ANALOGIES.items()}
    scores |= {name: evaluate_similarity(read, sets / file).spearman for name, file in SIMILARITIES.items()}
    return {name: None if score is None else 100 * score for name, score in scores.items()}

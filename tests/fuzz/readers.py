"""Fuzzing of every reader of vectors, guided by coverage: `make fuzz`, or this file with libFuzzer's own flags.

An input is a byte that chooses a format (and a file in its folder), and that file's bytes. Vectors that have n-grams
are asked for a word never seen. Any error but firth's own, more than a gigabyte of memory, or more than ten seconds for
one input ends the run and leaves the input in a file.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["firth.formats", "firth.storage"]):
    from firth import formats

import numpy as np

from firth.errors import FirthError
from firth.vectors import SubwordVectors, WordVectors

sys.path.insert(0, str(Path(__file__).parents[1]))
from stand_ins import fasttext_bytes, subword_vectors

WITH_N_GRAMS = "firth with n-grams"  # the name of a file in firth's format
LIMITS = ["-rss_limit_mb=1024", "-timeout=10", "-max_len=4096"]


def sound_files(folder: Path) -> list[tuple[Path, Path]]:
    """A small sound file, or folder of files, of each format: what is to be read, and each file in it."""
    vectors = WordVectors(["a", "bé", "c"], np.ones((3, 2), np.float32), np.arange(3))
    read = [each for each in formats.FORMATS if each.read]
    for each in read:
        if each.write:
            each.write(vectors, folder / each.name, "float32")
    (folder / "fasttext").write_bytes(fasttext_bytes({"a": 3, "bé": 2}, D=2, buckets=3))
    subwords, _ = subword_vectors({"abé": 3, "béc": 2}, D=2, buckets=9)
    formats.write_vectors(subwords, folder / WITH_N_GRAMS, "firth")
    places = [folder / each.name for each in read] + [folder / WITH_N_GRAMS]
    return [(place, file) for place in places for file in (sorted(place.iterdir()) if place.is_dir() else [place])]


def main() -> None:
    """Write sound files, as seeds and to be replaced by what the fuzzer makes of them, and read those."""
    with tempfile.TemporaryDirectory() as made:
        folder, seeds = Path(made) / "files", Path(made) / "seeds"
        folder.mkdir()
        seeds.mkdir()
        files = sound_files(folder)
        sound = [file.read_bytes() for _, file in files]
        for number, data in enumerate(sound):
            (seeds / str(number)).write_bytes(bytes([number]) + data)

        def one(data: bytes) -> None:
            number = data[0] % len(files) if data else 0
            place, file = files[number]
            file.write_bytes(data[1:])
            for format in (place.name.split()[0], None):
                with suppress(FirthError):
                    vectors = formats.read_vectors(place, format)
                    if isinstance(vectors, SubwordVectors):
                        vectors.most_similar("abéc")
            file.write_bytes(sound[number])

        atheris.Setup([sys.argv[0], *LIMITS, *sys.argv[1:], str(seeds)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

"""One file of vectors read or written in a process of its own: `python loaders.py JOB`, the job as JSON.

Prints as JSON the seconds, imports left out, the words and vector size, one vector, and the most memory taken.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainers import peak_bytes

Work = Callable[[], Any]


@dataclass(frozen=True)
class Job:
    """Which library does what, with which file; what is written is first read from `source`, which is not timed."""

    package: str
    what: str
    path: str
    source: str = ""


def firth(job: Job) -> Work:
    from firth.formats import read_vectors, write_vectors

    if job.what.startswith("write"):
        vectors = read_vectors(job.source)
        assert vectors.norms is not None  # the file that it is mapped from is read now
        return lambda: write_vectors(vectors, job.path)
    return lambda: read_vectors(job.path)


def gensim(job: Job) -> Work:
    from gensim.models import KeyedVectors
    from gensim.models.fasttext import load_facebook_vectors

    binary = job.path.endswith(".bin")
    if job.what.startswith("write"):
        vectors = KeyedVectors.load_word2vec_format(job.source, binary=True)
        return lambda: vectors.save_word2vec_format(job.path, binary=binary)
    if job.what == "fastText":
        return lambda: load_facebook_vectors(job.path)
    return lambda: KeyedVectors.load_word2vec_format(job.path, binary=binary)


def fasttext(job: Job) -> Work:
    import fasttext as library

    return lambda: library.load_model(job.path)


LIBRARIES = {"firth": firth, "gensim": gensim, "fasttext": fasttext}


def described(made: Any) -> dict[str, Any]:
    """What was read, alike for all libraries."""
    if hasattr(made, "get_word_vector"):
        words = made.words
        return {"words": len(words), "last": made.get_word_vector(words[-1]).tolist()}
    words = made.words if hasattr(made, "words") else made.index_to_key
    return {"words": len(words), "last": [float(number) for number in made[words[-1]]]}


def main() -> None:
    job = Job(**json.loads(sys.argv[1]))
    work = LIBRARIES[job.package](job)
    began = time.perf_counter()
    made = work()
    seconds = time.perf_counter() - began
    told = {"bytes": Path(job.path).stat().st_size} if made is None else described(made)
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes(), **told}))


if __name__ == "__main__":
    main()

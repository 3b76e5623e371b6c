"""One reading of a text in a process of its own: `python readers.py JOB`, the job as JSON; the result is JSON, too.

All count the words of the same text. Only firth also writes it down as numbers; pyarrow makes them in memory.
"""

from __future__ import annotations

import functools
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainers import peak_bytes


@dataclass(frozen=True)
class Job:
    """What to read, how, and on how many threads."""

    reader: str
    corpus: str
    threads: int


def read_firth(job: Job, *, cache: bool = False) -> dict[str, Any]:
    from firth import CorpusOptions, encoded_corpus

    with stages() as spent:
        began = time.perf_counter()
        corpus = encoded_corpus(job.corpus, CorpusOptions(cache=cache), threads=job.threads)
        seconds = time.perf_counter() - began
    told = {"seconds": seconds, "tokens": corpus.total_tokens, "words": len(corpus.words), "stages": spent}
    corpus.close()
    return told


def read_firth_again(job: Job) -> dict[str, Any]:
    return read_firth(job, cache=True)


def read_firth_loaded(job: Job) -> dict[str, Any]:
    """As the second text that a process reads: its compiled code is loaded, which takes as long for any text."""
    from firth import CorpusOptions, encoded_corpus

    few = Path(job.corpus).with_name("few.txt")
    few.write_text("a few words\n")
    encoded_corpus(few, CorpusOptions(cache=False), threads=job.threads).close()
    return read_firth(job)


def read_python(job: Job) -> dict[str, Any]:
    began = time.perf_counter()
    counts: Counter[bytes] = Counter()
    with Path(job.corpus).open("rb") as file:
        for line in file:
            counts.update(line.split())
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "tokens": counts.total(), "words": len(counts)}


def read_pyarrow(job: Job) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    began = time.perf_counter()
    text = Path(job.corpus).read_bytes()
    ends = b"".join(end.to_bytes(8, sys.byteorder) for end in (0, len(text)))
    whole = pa.LargeStringArray.from_buffers(1, pa.py_buffer(ends), pa.py_buffer(text))
    tokens = pc.ascii_split_whitespace(whole).flatten()
    encoded = tokens.dictionary_encode()
    counts = encoded.value_counts()
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "tokens": len(encoded), "words": len(counts)}


def read_gensim(job: Job) -> dict[str, Any]:
    from gensim.models import Word2Vec

    model = Word2Vec(min_count=1, vector_size=1, workers=job.threads)
    began = time.perf_counter()
    model.build_vocab(corpus_file=job.corpus)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "tokens": model.corpus_total_words, "words": len(model.wv)}


READERS: dict[str, Callable[[Job], dict[str, Any]]] = {
    "firth": read_firth,
    "firth, code loaded": read_firth_loaded,
    "firth, second run": read_firth_again,
    "pyarrow": read_pyarrow,
    "Python": read_python,
    "gensim": read_gensim,
}

# ---- where firth's time goes -------------------------------------------------------------------


@contextmanager
def stages() -> Iterator[dict[str, float]]:
    """Seconds of processor time, over all threads, that each stage of firth's reading takes."""
    from firth.corpus import encoding, files, store, tokenizers, writer
    from firth.corpus.lexicon import Lexicon

    spent: dict[str, float] = {}
    lock = threading.Lock()

    def watch(owner: Any, name: str, stage: str) -> None:
        usual = getattr(owner, name)

        @functools.wraps(usual)
        def timed(*given: Any, **options: Any) -> Any:
            began = time.thread_time()
            try:
                return usual(*given, **options)
            finally:
                with lock:
                    spent[stage] = spent.get(stage, 0.0) + time.thread_time() - began

        setattr(owner, name, timed)

    watch(files, "_read", "read the file")
    watch(tokenizers, "decoded", "check UTF-8")
    watch(tokenizers, "lines", "find lines")
    watch(Lexicon, "split", "cut, look up, count")
    watch(writer.CorpusWriter, "add", "write numbers")
    watch(encoding, "ranked_words", "merge and rank words")
    watch(encoding, "write_words", "write words")
    watch(encoding, "put_ranks", "put ranks in place")
    watch(store, "find", "find the files")
    began = time.process_time()
    yield spent
    spent["all else"] = time.process_time() - began - sum(spent.values())


if __name__ == "__main__":
    job = Job(**json.loads(sys.argv[1]))
    print(json.dumps(READERS[job.reader](job) | {"peak_bytes": peak_bytes()}))

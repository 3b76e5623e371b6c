"""One training run in a process of its own: `python trainers.py JOB`, the job as JSON; the result is printed as JSON.

Every trainer reads the same text, trains with the same settings, and writes its vectors in word2vec's binary format.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gensim.models import Word2Vec as GensimWord2Vec

WINDOW = 5
NEGATIVE = 5
MIN_COUNT = 5
ALPHA = {"skipgram": 0.025, "cbow": 0.05}
SUBWORD_ALPHA = {"skipgram": 0.05, "cbow": 0.05}  # with n-grams, fastText's own for both
MIN_N, MAX_N, BUCKET = 3, 6, 2_000_000
END_OF_LINE = "</s>"  # a word of fastText's own, made from the ends of lines


@dataclass(frozen=True)
class Job:
    """What to train, and where to write the vectors."""

    trainer: str
    corpus: str
    vectors: str
    architecture: str
    threads: int
    epochs: int
    seed: int
    vector_size: int
    sample: float
    loss: str
    subwords: bool = False  # whether n-grams are trained, too

    @property
    def alpha(self) -> float:
        """The learning rate at the start."""
        return (SUBWORD_ALPHA if self.subwords else ALPHA)[self.architecture]


def train_firth(job: Job) -> float:
    from firth import Word2Vec

    model = Word2Vec(
        architecture=job.architecture,
        loss=job.loss,
        cbow_gradient="historical",  # as gensim and fastText take it
        subwords=job.subwords,
        min_n=MIN_N,
        max_n=MAX_N,
        bucket=BUCKET,
        vector_size=job.vector_size,
        window=WINDOW,
        negative=NEGATIVE,
        sample=job.sample,
        min_count=MIN_COUNT,
        alpha=job.alpha,
        epochs=job.epochs,
        workers=job.threads,
        seed=job.seed,
    )
    model.fit(job.corpus, cache=False, progress=False)
    model.vectors.save(job.vectors)
    return model.seconds.training


def train_gensim_file(job: Job) -> float:
    model = _gensim(job)
    model.build_vocab(corpus_file=job.corpus)
    began = time.perf_counter()
    model.train(corpus_file=job.corpus, total_words=model.corpus_total_words, epochs=job.epochs)
    seconds = time.perf_counter() - began
    model.wv.save_word2vec_format(job.vectors, binary=True)
    return seconds


def train_gensim_iterator(job: Job) -> float:
    from gensim.models.word2vec import LineSentence

    model, sentences = _gensim(job), LineSentence(job.corpus)
    model.build_vocab(sentences)
    began = time.perf_counter()
    model.train(sentences, total_examples=model.corpus_count, epochs=job.epochs)
    seconds = time.perf_counter() - began
    model.wv.save_word2vec_format(job.vectors, binary=True)
    return seconds


def _gensim(job: Job) -> GensimWord2Vec:
    from gensim.models import FastText, Word2Vec, word2vec

    if word2vec.FAST_VERSION < 0:
        raise RuntimeError("gensim runs without its compiled code; install a wheel of it")
    kind, grams = (FastText, {"min_n": MIN_N, "max_n": MAX_N, "bucket": BUCKET}) if job.subwords else (Word2Vec, {})
    return kind(
        sg=int(job.architecture == "skipgram"),
        hs=int(job.loss == "hs"),
        vector_size=job.vector_size,
        window=WINDOW,
        negative=NEGATIVE if job.loss == "ns" else 0,  # else it trains by both
        sample=job.sample,
        min_count=MIN_COUNT,
        alpha=job.alpha,
        workers=job.threads,
        seed=job.seed,
        **grams,
    )


def train_fasttext(job: Job) -> float:
    """The seconds of one call that reads the text, then trains; with 0 epochs it reads and trains nothing.

    Its Python interface takes no seed here: every run has seed 0.
    """
    import fasttext

    began = time.perf_counter()
    model = fasttext.train_unsupervised(
        job.corpus,
        model=job.architecture,
        dim=job.vector_size,
        ws=WINDOW,
        neg=NEGATIVE,
        t=job.sample,
        minCount=MIN_COUNT,
        lr=job.alpha,
        epoch=job.epochs,
        thread=job.threads,
        loss=job.loss,
        minn=MIN_N if job.subwords else 0,
        maxn=MAX_N if job.subwords else 0,  # 0: no n-grams, Word2Vec's own model
        bucket=BUCKET,
        verbose=0,
    )
    seconds = time.perf_counter() - began
    words = [word for word in model.get_words() if word != END_OF_LINE]
    with Path(job.vectors).open("wb") as file:
        file.write(f"{len(words)} {job.vector_size}\n".encode())
        for word in words:
            file.write(word.encode() + b" " + model.get_word_vector(word).astype("<f4").tobytes())
    return seconds


TRAINERS: dict[str, Callable[[Job], float]] = {
    "firth": train_firth,
    "gensim-file": train_gensim_file,
    "gensim-iterator": train_gensim_iterator,
    "fasttext": train_fasttext,
}
READS_WHILE_TRAINING = ("fasttext",)  # the text is read within the call that is timed


def peak_bytes() -> int:
    """The most memory that this process has held.

    On Linux `ru_maxrss` starts from the peak of the process that started this one, so the kernel's own count of
    this program alone is read instead.
    """
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


if __name__ == "__main__":
    job = Job(**json.loads(sys.argv[1]))
    seconds = TRAINERS[job.trainer](job)
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes()}))

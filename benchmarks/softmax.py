"""Full softmax against negative sampling, in the same quantity: log-likelihood of held-out sentences.

    python benchmarks/softmax.py --tokens 500000

trains each loss at several rates on the beginning of a text and 2,000 words, then scores the sentences that follow with
`Word2Vec.score`: how likely each word is given its contexts, by the softmax of x · y over all words. The mean is per
prediction: a pair of centre and context for skip-gram, a window for CBOW. Negative sampling learns x · y as a log-ratio
to its noise distribution (see `firth.likelihood`), so it is also scored with log noise(word) added to each x · y.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from material import chosen_corpus, machine, prepared

from firth import Word2Vec
from firth.scoring import sentence_scores
from firth.weights import Weights


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare full softmax with negative sampling by held-out likelihood.")
    add = parser.add_argument
    add("--corpus", type=Path, help="plain text, a sentence per line, or packed; else FIRTH_CORPORA's")
    add("--tokens", type=int, default=500_000, help="to train on")
    add("--held-out", type=int, default=20_000, help="tokens after these, to score")
    add("--vocabulary", type=int, default=2000)
    add("--architecture", nargs="+", default=["skipgram", "cbow"])
    add("--alpha", nargs="+", type=float, default=[0.025, 0.05, 0.1])
    add("--epochs", nargs="+", type=int, default=[3, 10], help="for negative sampling; full softmax takes the first")
    add("--workers", type=int, default=1)
    return parser.parse_args()


def sentences(given: argparse.Namespace) -> tuple[list[list[str]], list[list[str]]]:
    """Those to train on, and those to score."""
    with tempfile.TemporaryDirectory() as work:
        wanted = given.tokens + given.held_out
        text = prepared(chosen_corpus(given.corpus), Path(work) / "text.txt", wanted, 1).path
        read = [line.split() for line in text.read_text(encoding="utf-8").splitlines()]
    first = int(np.searchsorted(np.cumsum([len(each) for each in read]), given.tokens)) + 1
    return read[:first], read[first:]


def predictions(model: Word2Vec, held_out: list[list[str]]) -> int:
    """How many there are: counted by scoring with a model for which each word has the probability 1 / V."""
    blank = Weights(np.zeros_like(model.weights.input), np.zeros_like(model.weights.output))
    total = sentence_scores(held_out, "whitespace", model.vocabulary, blank, None, model.options).sum()
    return round(-total / np.log(len(model.vocabulary)))


def with_noise(model: Word2Vec) -> Weights:
    """The weights with a coordinate more, so that x · y has log noise(word) added."""
    noise = np.maximum(model.vocabulary.counts, 1) ** model.options.ns_exponent
    ones = np.ones((len(noise), 1), np.float32)
    logs = np.log(noise / noise.sum()).astype(np.float32)[:, None]
    return Weights(np.hstack([model.weights.input, ones]), np.hstack([model.weights.output, logs]))


def main() -> None:
    given = arguments()
    train, held_out = sentences(given)
    print(f"{machine()}, {given.workers} workers; {given.tokens:,} tokens, {given.vocabulary:,} words\n")
    print("| architecture | loss | alpha | epochs | seconds | log-likelihood | with log noise |\n|" + "---|" * 7)
    for architecture in given.architecture:
        for loss in ("ns", "softmax"):
            for epochs in given.epochs if loss == "ns" else given.epochs[:1]:
                for alpha in given.alpha:
                    model = Word2Vec(
                        architecture=architecture,
                        loss=loss,
                        alpha=alpha,
                        epochs=epochs,
                        max_vocabulary=given.vocabulary,
                        workers=given.workers,
                    ).fit(train, progress=False)
                    count = predictions(model, held_out)
                    cells = [f"{model.score(held_out).sum() / count:.4f}", ""]
                    if loss == "ns":
                        options, words = model.options, model.vocabulary
                        scores = sentence_scores(held_out, "whitespace", words, with_noise(model), None, options)
                        cells[1] = f"{scores.sum() / count:.4f}"
                    row = [architecture, loss, str(alpha), str(epochs), f"{model.seconds.training:.1f}", *cells]
                    print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()

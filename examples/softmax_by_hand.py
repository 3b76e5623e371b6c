"""Word2Vec with nothing but NumPy and the equations: full softmax, then negative sampling, gradients by hand.

    python examples/softmax_by_hand.py

Trains on a few dozen made-up sentences in seconds, twice, and shows the loss, near words, analogies, a comparison of
two words, one vector, and a picture (with matplotlib: pip install 'firth[viz]'). docs/guide/03-softmax.md and
docs/guide/04-negative-sampling.md derive both.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

from firth import Vocabulary, WordVectors
from firth.backends.reference import distinct_noise_words, logistic, softmax, target_and_noise
from firth.draws import Purpose, noise_counters, stream_key
from firth.errors import MissingExtra
from firth.visualise import draw_map

PAIRS = [("man", "woman"), ("king", "queen"), ("prince", "princess"), ("boy", "girl"), ("actor", "actress")]
TEXT = " ".join(
    f"The {he} lost his hat. The {she} lost her hat. Ask the {he} himself. Ask the {she} herself. "
    f"A {he} and his wife. A {she} and her husband. He was a {he}. She was a {she}."
    for he, she in PAIRS
) + " ".join(
    f"The {who} {what}."
    for pair, whats in [
        (PAIRS[0], ["works in the field", "walks to the market", "cooks some soup"]),
        (PAIRS[1], ["sits on the throne", "wears a golden crown", "rules the country"]),
        (PAIRS[2], ["lives in the palace", "will one day wear a crown", "rides a white horse"]),
        (PAIRS[3], ["goes to school", "plays in the yard", "climbs a tree"]),
        (PAIRS[4], ["stands on the stage", "learns the lines", "bows to the crowd"]),
    ]
    for who in pair
    for what in whats
)
WINDOW, D, EPOCHS, BATCH, RATE = 3, 20, 150, 8, 0.1
K, SAMPLED_EPOCHS, LONGEST = 5, 60, 1.0  # of negative sampling: noise words, epochs, the longest gradient of a row
ANALOGIES = [("man", "king", "woman"), ("boy", "prince", "girl"), ("king", "queen", "actor")]


def tokenised(text: str) -> list[list[str]]:
    """Sentences, as lists of lower-case runs of letters."""
    return [words for sentence in text.split(".") if (words := re.findall("[a-z]+", sentence.lower()))]


def counted(sentences: list[list[str]]) -> Vocabulary:
    """The words by falling count."""
    words = sorted(word for sentence in sentences for word in sentence)
    return Vocabulary.of_words(list(dict.fromkeys(words)), np.unique(words, return_counts=True)[1])


def all_windows(sentences: list[list[str]], vocabulary: Vocabulary) -> list[tuple[np.ndarray, int]]:
    """(contexts, centre) of every place that has contexts, as numbers."""
    number = {word: n for n, word in enumerate(vocabulary)}
    numbered = [[number[word] for word in sentence] for sentence in sentences]
    return [
        (np.array(sentence[max(0, i - WINDOW) : i] + sentence[i + 1 : i + WINDOW + 1]), centre)
        for sentence in numbered
        for i, centre in enumerate(sentence)
        if len(sentence) > 1
    ]


def all_pairs(sentences: list[list[str]], vocabulary: Vocabulary) -> np.ndarray:
    """Every (context, centre) within WINDOW places of each other, as numbers (pairs, 2)."""
    windows = all_windows(sentences, vocabulary)
    return np.array([(context, centre) for contexts, centre in windows for context in contexts])


def trained(pairs: np.ndarray, V: int, seed: int = 1) -> tuple[np.ndarray, list[float]]:
    """The input matrix (V, D), and the mean loss of each epoch; pairs are shuffled before each."""
    random = np.random.default_rng(seed)
    input, output = random.normal(0, 0.1, (V, D)), random.normal(0, 0.1, (V, D))
    losses = []
    for epoch in range(EPOCHS):
        rate = RATE * (1 - epoch / EPOCHS)
        loss = 0.0
        for batch in np.array_split(random.permutation(pairs), len(pairs) // BATCH):
            contexts, centres = batch.T
            step = softmax(input[contexts], output, centres)  # loss, and its gradients for both matrices
            np.subtract.at(input, contexts, rate * step.inputs)
            output -= rate * step.outputs
            loss += step.loss
        losses.append(loss / len(pairs))
    return input, losses


def clipped(gradients: np.ndarray) -> np.ndarray:
    """The same directions (n, D), none longer than LONGEST."""
    lengths = np.linalg.norm(gradients, axis=1, keepdims=True)
    return gradients * (LONGEST / np.maximum(lengths, LONGEST))


def trained_by_sampling(
    windows: list[tuple[np.ndarray, int]], vocabulary: Vocabulary, seed: int = 1
) -> tuple[np.ndarray, list[float]]:
    """The input matrix (V, D), and the mean loss of each epoch, a pair being an example.

    With so few words, noise drawn blindly is often a right answer: here it is neither the centre nor a context.
    """
    random = np.random.default_rng(seed)
    V = len(vocabulary)
    input, output = random.normal(0, 0.1, (V, D)), random.normal(0, 0.1, (V, D))
    table = vocabulary.noise_table(0.75)
    losses = []
    for epoch in range(SAMPLED_EPOCHS):
        rate = RATE * (1 - epoch / SAMPLED_EPOCHS)
        keys = stream_key(seed, epoch, Purpose.NOISE), stream_key(seed, epoch, Purpose.NOISE_AGAIN)
        loss, examples = 0.0, 0
        for place in random.permutation(len(windows)):
            contexts, centre = windows[place]
            (counters,) = noise_counters([place], K)
            noise = distinct_noise_words(keys, counters, table, centre, contexts)
            rows, labels, weights = target_and_noise(centre, noise)
            step = logistic(input[contexts], output[rows], labels, weights)
            np.subtract.at(input, contexts, rate * clipped(step.inputs))
            np.subtract.at(output, rows, rate * clipped(step.outputs))
            loss, examples = loss + step.loss, examples + len(contexts)
        losses.append(loss / examples)
    return input, losses


def tell(vectors: WordVectors) -> None:
    """Near words, analogies, two comparisons, one vector."""
    for word in ("king", "woman", "school"):
        print(f"near {word}:", ", ".join(f"{near} {score:.2f}" for near, score in vectors.most_similar(word, topn=4)))
    for a, b, c in ANALOGIES:
        (answer, score), *_ = vectors.analogy(a, b, c, topn=1)
        print(f"{a} is to {b} as {c} is to {answer} ({score:.2f})")
    for other in ("queen", "soup"):
        print(f"king and {other}: {vectors.compare('king', other)}")
    king = vectors["king"]
    print(f"king: shape {king.shape}, norm {np.linalg.norm(king):.2f}, begins {king[:4].round(2)}")


def main(folder: Path) -> tuple[WordVectors, list[float]]:
    """Train, tell, draw into `folder`."""
    sentences = tokenised(TEXT)
    vocabulary = counted(sentences)
    pairs = all_pairs(sentences, vocabulary)
    print(f"{len(sentences)} sentences, {len(vocabulary)} words, {len(pairs):,} pairs")

    print("\nfull softmax")
    input, losses = trained(pairs, len(vocabulary))
    for epoch in range(0, EPOCHS, 25):
        print(f"epoch {epoch + 1:3}  loss {losses[epoch]:.3f}")
    print(f"epoch {EPOCHS:3}  loss {losses[-1]:.3f}")

    vectors = WordVectors(vocabulary.words, input)
    tell(vectors)

    print(f"\nnegative sampling, {K} noise words")
    sampled, sampled_losses = trained_by_sampling(all_windows(sentences, vocabulary), vocabulary)
    for epoch in range(0, SAMPLED_EPOCHS, 20):
        print(f"epoch {epoch + 1:3}  loss {sampled_losses[epoch]:.3f}")
    print(f"epoch {SAMPLED_EPOCHS:3}  loss {sampled_losses[-1]:.3f}")
    tell(WordVectors(vocabulary.words, sampled))

    try:
        picture = folder / "softmax_by_hand.png"
        draw_map(vectors, (), picture, groups={"he": [a for a, _ in PAIRS], "she": [b for _, b in PAIRS]}, arrows=PAIRS)
        print(f"a picture: {picture}")
    except MissingExtra as error:
        print(f"no picture: {error}")
    return vectors, losses


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())

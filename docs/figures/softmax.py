"""Full softmax on the guide's small text: the loss comes down to what the text leaves open."""

from pathlib import Path

import numpy as np
from company import TEXT
from paper import BLUE, GREY, RED, keep, sheet

from firth.backends.reference import softmax

EPOCHS = 60


def pairs_of(text: str) -> tuple[list[str], np.ndarray]:
    """The words, and all pairs (context, centre) within two places."""
    sentences = [sentence.split() for sentence in text.lower().replace("\n", " ").split(".")]
    words = sorted({word for sentence in sentences for word in sentence})
    pairs = [
        (words.index(sentence[j]), words.index(centre))
        for sentence in sentences
        for i, centre in enumerate(sentence)
        for j in range(max(0, i - 2), min(len(sentence), i + 3))
        if j != i
    ]
    return words, np.array(pairs)


def draw(path: Path) -> None:
    """The loss by epoch, and what is predicted from `hot` beside what the text has."""
    words, pairs = pairs_of(TEXT)
    V, D = len(words), 20
    random = np.random.default_rng(1)
    input, output = random.normal(0, 0.1, (V, D)), random.normal(0, 0.1, (V, D))
    met = np.zeros((V, V))
    np.add.at(met, tuple(pairs.T), 1)
    shares = met / met.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = -np.nansum(met * np.log(shares)) / len(pairs)
    losses = []
    for epoch in range(EPOCHS):
        rate = 0.3 * (1 - epoch / EPOCHS)
        random.shuffle(pairs)
        losses.append(softmax(input[pairs[:, 0]], output, pairs[:, 1]).loss / len(pairs))
        for batch in np.array_split(pairs, len(pairs) // 8):
            step = softmax(input[batch[:, 0]], output, batch[:, 1])
            np.subtract.at(input, batch[:, 0], rate * step.inputs)
            output -= rate * step.outputs

    figure, (left, right) = sheet(2)
    left.plot(losses, color=BLUE)
    left.axhline(least, color=GREY, lw=1, ls="--")
    left.annotate("the least possible", (EPOCHS, least), (0, -12), textcoords="offset points", ha="right", color=GREY)
    left.axhline(np.log(V), color=GREY, lw=1, ls=":")
    left.annotate(
        "a blind guess, log V", (EPOCHS, np.log(V)), (0, 4), textcoords="offset points", ha="right", color=GREY
    )
    left.set(xlabel="epoch", title="loss for each pair", ylim=(least - 0.2, np.log(V) + 0.2))

    scores = np.exp(input[words.index("hot")] @ output.T)
    likely = np.argsort(-shares[words.index("hot")])[:8]
    places = np.arange(len(likely))
    right.bar(places - 0.2, shares[words.index("hot")][likely], 0.4, color=GREY, label="in the text")
    right.bar(places + 0.2, (scores / scores.sum())[likely], 0.4, color=RED, label="learnt")
    right.set_xticks(places, [words[word] for word in likely], rotation=45, ha="right", rotation_mode="anchor")
    right.set(title="what stands near “hot”")
    right.legend()
    keep(figure, path)

"""The learning rate, and the loss on trained and on held-out sentences, over ten epochs of a made-up world."""

from pathlib import Path

from paper import BLUE, RED, keep, sheet

from firth import Word2Vec
from firth.training import rates_in
from firth.world import sentences

EPOCHS = 10


def draw(path: Path) -> None:
    """Rate on the left, losses on the right."""
    model = Word2Vec(vector_size=64, epochs=EPOCHS, held_out=0.05, workers=1)
    model.fit(sentences(20_000), progress=False, cache=False)
    figure, (left, right) = sheet(2, height=2.9)
    rates = [rates_in(epoch, model.options, 1).start for epoch in range(EPOCHS)]
    left.plot(range(EPOCHS + 1), [*rates, model.options.min_alpha], color=BLUE)
    left.set(title="learning rate", xlabel="epoch", ylim=(0, None))
    epochs = range(1, EPOCHS + 1)
    right.plot(epochs, model.losses, color=BLUE, label="trained on")
    right.plot(epochs, model.state.held_out_losses, color=RED, label="held out, after each epoch")
    right.set(title="loss for each pair", xlabel="epoch")
    right.legend()
    keep(figure, path)

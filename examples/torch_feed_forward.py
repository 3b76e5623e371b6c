"""Predict the word in the middle of a context, by a network with a hidden layer; and look its vectors up.

pip install 'firth[torch]'
python examples/torch_feed_forward.py
"""

from functools import partial

import torch

import firth.torch

TEXT = """
every morning the old clock in the hall strikes seven and the house wakes up
my sister boils the kettle while my brother lays the table for breakfast
our dog waits behind the kitchen door because the postman comes before eight
after breakfast we walk along the river to the school on the hill
the bell rings twice before the first lesson and once when it ends
at noon we share our bread under the chestnut tree beside the wall
in the afternoon the teacher reads a story about a fox and a crane
on the way home we throw flat stones across the river until it rains
my father lights the stove when the evening turns cold and dark
before we sleep the old clock strikes nine and the house grows quiet
"""

sentences = [line.split() for line in TEXT.strip().splitlines()]
network = firth.torch.FeedForwardCBOW(
    vector_size=24, hidden=128, window=2, dynamic_window=False, min_count=1, sample=0, seed=1
)

fitted = firth.torch.fit(
    network,
    sentences,
    optimizer=partial(torch.optim.SGD, lr=0.05, momentum=0.9),
    reduction="mean",
    epochs=60,
    batch_size=16,
    shuffle=1000,
)
print(f"loss per window: {fitted.losses[0]:.3f} at first, {fitted.losses[-1]:.3f} at last")

for before, after in (("the old", "strikes nine"), ("to the", "on the"), ("flat stones", "the river")):
    context = [*before.split(), *after.split()]
    guesses = ", ".join(f"{word} {chance:.2f}" for word, chance in network.predict(context, topn=3))
    print(f"{before} ... {after}: {guesses}")

river = network["river"]  # by word, by number, and several at once
number = network.index("river")
assert torch.equal(network[number], river)
several = network[["river", "stones", number]]
assert torch.equal(several[2], river)
print(f"river, word {number}: shape {tuple(river.shape)}, norm {river.norm():.2f}; three words: {tuple(several.shape)}")

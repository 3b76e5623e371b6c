"""Train skip-gram in PyTorch with Adam, on a corpus small enough to read.

pip install 'firth[torch]'
python examples/torch_adam.py
"""

from functools import partial

import torch

import firth.torch

TEXT = """
the baker kneads the dough and heats the oven before dawn
the baker takes warm bread from the oven and sells the loaves
a baker mixes flour water and yeast and the dough rises
flour and yeast make dough and dough makes bread
fresh bread and warm loaves leave the oven at dawn
the oven bakes the dough until the loaves are brown
the sailor hoists the sail and leaves the harbour at dawn
the sailor ties the boat to the quay when the tide is low
a sailor mends the sail and waits for wind and tide
wind fills the sail and the boat leaves the quay
the boat enters the harbour with the tide and the wind
in the harbour the boat lies at the quay until the tide turns
the gardener digs the soil and sows seeds in spring
the gardener waters the roses and cuts the hedge in summer
a gardener plants seeds in soil and waits for rain
rain and sun make the seeds and the roses grow
the roses grow along the hedge in sun and rain
in spring the soil is soft and the hedge turns green
"""

sentences = [line.split() for line in TEXT.strip().splitlines()]
module = firth.torch.SkipGram(vector_size=16, window=4, negative=5, min_count=2, sample=0.02, seed=1)

fitted = firth.torch.fit(
    module,
    sentences,
    optimizer=partial(torch.optim.Adam, lr=0.01),
    epochs=60,
    batch_size=32,
    shuffle=1000,
)
print(f"loss per pair: {fitted.losses[0]:.3f} at first, {fitted.losses[-1]:.3f} at last")

vectors = module.vectors(combine="average")
for word in ("bread", "boat", "roses"):
    near = ", ".join(f"{other} {cosine:.2f}" for other, cosine in vectors.most_similar(word, topn=4))
    print(f"{word}: {near}")

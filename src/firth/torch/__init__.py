"""Word2Vec as PyTorch modules: any optimiser, any device, inside any network.

    import torch, firth.torch

    module = firth.torch.SkipGram(vector_size=50)
    firth.torch.fit(module, "corpus.txt", optimizer=torch.optim.Adam)
    module.vectors().most_similar("king")

What is trained is what the other backends train: the same vocabulary, windows and noise words, by the same draws; one
step of plain gradient descent is a step of the reference. Needs the extra: pip install 'firth[torch]'.
"""

from firth.errors import optional

optional("torch", extra="torch", purpose="firth.torch")  # before what imports it, so that the error has the remedy

from firth.torch.batches import Batch, Batches  # noqa: E402
from firth.torch.exchange import embedding, from_word2vec, numbers, to_word2vec  # noqa: E402
from firth.torch.feed_forward import FeedForwardCBOW  # noqa: E402
from firth.torch.fitting import Fitted, fit  # noqa: E402
from firth.torch.modules import CBOW, SkipGram  # noqa: E402
from firth.torch.words import WordModule  # noqa: E402

__all__ = [
    "CBOW",
    "Batch",
    "Batches",
    "FeedForwardCBOW",
    "Fitted",
    "SkipGram",
    "WordModule",
    "embedding",
    "fit",
    "from_word2vec",
    "numbers",
    "to_word2vec",
]

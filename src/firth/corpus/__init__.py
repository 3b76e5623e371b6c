"""Where text comes from, how it is cut into tokens, and the encoded corpus that is trained on."""

from firth.corpus.encoded import Chunk, EncodedCorpus
from firth.corpus.store import encoded_corpus

__all__ = ["Chunk", "EncodedCorpus", "encoded_corpus"]

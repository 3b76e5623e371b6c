"""The name of `gensim.models.callbacks` that concerns word vectors."""

from __future__ import annotations

from firth.gensim.callbacks import CallbackAny2Vec

__all__ = ["CallbackAny2Vec"]

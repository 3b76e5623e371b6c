"""Phrases: words that often stand together, joined into single tokens before training."""

from firth.phrases.finding import Phrase
from firth.phrases.model import ENGLISH_CONNECTOR_WORDS, Phrases

__all__ = ["ENGLISH_CONNECTOR_WORDS", "Phrase", "Phrases"]

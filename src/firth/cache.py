"""Where firth keeps what it can make again: compiled kernels and encoded corpora."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The user's cache folder for firth; the environment variable `FIRTH_CACHE` moves it."""
    return Path(os.environ.get("FIRTH_CACHE") or platformdirs.user_cache_dir("firth", appauthor=False))

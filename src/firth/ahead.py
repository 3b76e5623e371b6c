"""The first run compiles twice at once: another process the training kernel, this one what reads text.

Compiling holds Python's lock, so a thread would not do. What the other process compiled is found in the cache.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from firth.options import TrainingOptions, usable_cores
from firth.training import tables_for
from firth.vectors import vectors_of
from firth.vocabulary import Vocabulary
from firth.weights import initial_weights

PROGRAM = "from firth.ahead import main; main()"


@contextlib.contextmanager
def kernel_compiled_ahead(options: TrainingOptions) -> Iterator[Callable[[], object]]:
    """Have the kernel of these options compiled meanwhile, where it pays; gives what waits until that is done.

    It pays where this version has compiled nothing yet, what it compiles is kept, and there is a second core. If the
    other process fails, this one compiles all by itself, and says what is wrong.
    """
    if not _pays(options):
        yield lambda: None
        return
    command = [sys.executable, "-P", "-c", PROGRAM, json.dumps(options.as_dict())]  # -P: nothing from this folder
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent) as process:
        try:
            yield process.wait
        finally:
            process.kill()


def _pays(options: TrainingOptions) -> bool:
    from firth.jit_cache import compiled_folder, has_sources  # Numba loads at use

    compiles = options.backend == "cpu" and options.device == "cpu" and options.loss != "softmax"
    if not compiles or usable_cores() < 2 or not sys.executable or not has_sources():
        return False
    folder = compiled_folder()
    if folder.exists():
        return False
    with contextlib.suppress(OSError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        return os.access(folder.parent, os.W_OK)
    return False


def main() -> None:
    """Compile the kernel of the options given as JSON, by training nothing with it, on two workers."""
    from firth.backends.cpu import CpuBackend

    options = replace(TrainingOptions.from_dict(json.loads(sys.argv[1])), workers=2)
    words = Vocabulary(("a", "b"), np.ones(2, np.int64))
    backend, tables = CpuBackend(), tables_for(words, options)
    buckets = None if tables.grams is None else tables.grams.buckets
    weights = initial_weights(len(words), options.vector_size, options.seed, buckets=buckets)
    backend.start(weights, tables, options)
    backend.close()
    vectors_of(words, backend.weights(), tables.grams)  # which compiles what makes them of n-grams

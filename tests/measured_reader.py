"""A process that does nothing but read vectors, and tells how much memory each file took.

In the process of the tests this cannot be told: it holds gigabytes of others' leavings, among which a file's megabytes
are lost, or to which the allocator adds some when it pleases.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import traceback
from pathlib import Path

from firth.errors import FirthError
from firth.formats import read_vectors
from firth.memory import peak_memory_bytes
from firth.vectors import SubwordVectors


class MeasuredReader:
    """The process, from the side of the tests; ends with the `with` block."""

    def __enter__(self):
        command = [sys.executable, "-W", "error", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self._process.communicate()

    def read(self, path, kind, **options):
        """How many bytes the peak of the process rose while it read; an error that is not firth's own fails here."""
        self._process.stdin.write(json.dumps([str(path), kind, options]) + "\n")
        self._process.stdin.flush()
        told = self._process.stdout.readline()
        assert told, f"the process that read {path} as {kind} ended with status {self._process.wait()}"
        taken, error = json.loads(told)
        assert not error, error
        return taken


def taken_by_reading(path, kind, options):
    with contextlib.suppress(OSError):  # where Linux allows, the peak begins anew: an old one hides what stays below it
        Path("/proc/self/clear_refs").write_text("5")
    before = peak_memory_bytes() or 0
    with contextlib.suppress(FirthError):
        vectors = read_vectors(path, kind, **options)
        assert len(vectors) == len(vectors.matrix)
        if isinstance(vectors, SubwordVectors):
            vectors.most_similar("abéc")
    return (peak_memory_bytes() or 0) - before


def answer(request):
    try:
        return taken_by_reading(*json.loads(request)), None
    except Exception:
        return None, traceback.format_exc()


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)

"""Stand-ins for what other programs write, and for a disk that fails."""

import errno
import os
import struct

import numpy as np

from firth.ngrams import NGrams, gram_table, whole_vectors
from firth.vectors import SubwordVectors


def fasttext_bytes(
    counts, D=4, buckets=5, shortest=3, longest=6, labels=(), matrix=None, quantised=False, pruned=-1, version=12
):
    """A whole fastText model, version 12: what `save_model` writes for words with these counts."""
    V = len(counts)
    if matrix is None:
        matrix = np.random.default_rng(V).standard_normal((V + buckets, D), dtype=np.float32)
    head = struct.pack("<2i", 793712314, version)
    head += struct.pack("<12id", D, 5, 5, 1, 5, 1, 2, 2, buckets, shortest, longest, 100, 1e-4)
    head += struct.pack("<3i2q", V + len(labels), V, len(labels), sum(counts.values()), pruned)
    entries = b"".join(spelled(word) + struct.pack("<xqb", count, 0) for word, count in counts.items())
    entries += b"".join(spelled(label) + struct.pack("<xqb", 1, 1) for label in labels)
    inputs = struct.pack("<?2q", quantised, *matrix.shape) + matrix.tobytes()
    output = struct.pack("<?2q", False, V, D) + bytes(4 * V * D)
    return head + entries + inputs + output


def spelled(word):
    return word if isinstance(word, bytes) else word.encode()


class FailingDisk:
    """An open file whose disk gives its first `sound` bytes and fails at the next."""

    def __init__(self, file, sound):
        self.file, self.sound = file, sound

    def __getattr__(self, name):
        return getattr(self.file, name)

    def readinto(self, buffer):
        if self.file.tell() >= self.sound:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self.file.readinto(memoryview(buffer)[: self.sound - self.file.tell()])


def subword_vectors(counts, D=4, shortest=3, longest=6, buckets=1000, seed=0):
    """Vectors of words with a row for each bucket that their n-grams fall into, as training makes them; own rows."""
    kind = NGrams(shortest, longest, buckets)
    generator = np.random.default_rng(seed)
    often = np.array([*counts.values()], np.int64)
    table = gram_table([*counts], often, kind)
    own, grams = (generator.standard_normal((n, D), dtype=np.float32) for n in (len(counts), len(table)))
    matrix = whole_vectors(own, grams, table)
    return SubwordVectors([*counts], matrix, often, gram_rows=grams, kind=kind, buckets=table.buckets), own

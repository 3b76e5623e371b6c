"""fastText's character n-grams, compiled: which a word has, and vectors made of theirs.

    n-grams of "ab", 3 to 6 characters: <ab  <ab>  ab>

A word stands between < and >. N-grams begin and end between characters of UTF-8, and are hashed over their bytes by
FNV-1a (Fowler, Noll and Vo), where fastText takes each byte as a signed number: one from 128 on flips the hash's upper
24 bits, too.
"""

from __future__ import annotations

import numpy as np

from firth.jit import compiled, inlined

FNV_OFFSET = np.uint32(2166136261)
FNV_PRIME = np.uint32(16777619)
SIGN = np.uint32(0xFFFFFF00)  # what stands above a byte from 128 on that is taken as signed


@inlined
def _walk(letters, begin, end, buckets, shortest, longest, found, at):
    """The buckets of the n-grams of letters[begin:end], into `found` from `at` on; gives how many. None: only count."""
    n_grams = np.int64(0)
    start = begin
    while start < end:
        hashed = FNV_OFFSET
        stop, n = start, 0
        while stop < end and n < longest:
            n += 1
            # One character: its first byte, and those that continue it (10xxxxxx).
            more = True
            while more:
                letter = np.uint32(letters[stop])
                hashed = np.uint32((hashed ^ (letter if letter < 128 else letter | SIGN)) * FNV_PRIME)
                stop += 1
                more = stop < end and (letters[stop] & 0xC0) == 0x80
            if n >= shortest and not (n == 1 and (start == begin or stop == end)):
                if found is not None:
                    found[at + n_grams] = np.int64(hashed % np.uint32(buckets))
                n_grams += 1
        start += 1
        while start < end and (letters[start] & 0xC0) == 0x80:
            start += 1
    return n_grams


@compiled
def count_grams(letters, offsets, shortest, longest, counts):
    """Into `counts`, int64 (words,), how many n-grams of `shortest` to `longest` characters each word has.

    `letters`, uint8, are the words between < and >, joined; `offsets`, int64 (words + 1,), say where each begins.
    """
    for word in range(len(counts)):
        counts[word] = _walk(letters, offsets[word], offsets[word + 1], 1, shortest, longest, None, 0)


@compiled
def list_grams(letters, offsets, buckets, shortest, longest, starts, found):
    """Into `found`, int64, the bucket of each n-gram, of `buckets`; those of a word from starts[word] on."""
    for word in range(len(offsets) - 1):
        _walk(letters, offsets[word], offsets[word + 1], buckets, shortest, longest, found, starts[word])


@compiled
def add_uses(starts, buckets, counts, uses):
    """Add to `uses`, int64, of the bucket of each n-gram, how often its word stands in the text."""
    for word in range(len(counts)):
        for k in range(starts[word], starts[word + 1]):
            uses[buckets[k]] += counts[word]


@compiled
def number_grams(starts, buckets, row_of, latest, rows, distinct):
    """Into `rows`, int32, the row of each n-gram's bucket: of each word first those that differ, then those met again.

    `distinct`, int64 (words,), takes how many differ. `latest`, int64 (U,), is -1 everywhere.
    """
    for word in range(len(distinct)):
        n, end = starts[word], starts[word + 1]
        for k in range(starts[word], starts[word + 1]):
            row = row_of[buckets[k]]
            if latest[row] == word:
                end -= 1
                rows[end] = row
            else:
                rows[n] = row
                n += 1
            latest[row] = word
        distinct[word] = n - starts[word]


@compiled
def means(own, own_rows, starts, grams, gram_rows, out, counts):
    """Into each row of `out` the mean of a word's own row and those of its n-grams, in fastText's order.

    `own`, int64, is a word's row in `own_rows`, float32 (·, D), or -1; grams[starts[word]:starts[word + 1]] are those
    in `gram_rows`, float32 (·, D), where -1 is none. `counts`, int64, takes how many rows were added.
    """
    D = out.shape[1]
    for word in range(len(own)):
        added = 0
        for d in range(D):
            out[word, d] = own_rows[own[word], d] if own[word] >= 0 else np.float32(0)
        if own[word] >= 0:
            added += 1
        for k in range(starts[word], starts[word + 1]):
            row = grams[k]
            if row >= 0:
                for d in range(D):
                    out[word, d] += gram_rows[row, d]
                added += 1
        counts[word] = added
        if added:
            scale = np.float32(1) / np.float32(added)
            for d in range(D):
                out[word, d] *= scale

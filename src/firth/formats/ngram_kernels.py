"""Vectors from fastText's character n-grams, compiled.

    n-grams of "ab", 3 to 6 characters: <ab  <ab>  ab>

A word stands between < and >. N-grams begin and end between characters of UTF-8, and are hashed over their bytes by
FNV-1a (Fowler, Noll and Vo), where fastText takes each byte as a signed number: one from 128 on flips the hash's upper
24 bits, too.
"""

from __future__ import annotations

import numpy as np

from firth.jit import compiled

FNV_OFFSET = np.uint32(2166136261)
FNV_PRIME = np.uint32(16777619)
SIGN = np.uint32(0xFFFFFF00)  # what stands above a byte from 128 on that is taken as signed


@compiled
def means(letters, offsets, own, whole, stored, first_bucket, buckets, shortest, longest, out, counts):
    """Into each row of `out` the mean of a word's own row of `stored` and those of its n-grams, in fastText's order.

    `letters`, uint8, are the words between < and >, joined; `offsets`, int64 (words + 1,), say where each begins.
    `own`, int64, is a word's row in `stored`, float32 (rows, D), or -1. N-grams have rows from `first_bucket` on,
    `buckets` of them; words marked in `whole`, bool, have none. `counts`, int64, takes how many rows were added.
    """
    D = stored.shape[1]
    for word in range(len(own)):
        added = 0
        for d in range(D):
            out[word, d] = stored[own[word], d] if own[word] >= 0 else np.float32(0)
        if own[word] >= 0:
            added += 1
        begin, end = offsets[word], offsets[word + 1]
        start = begin if not whole[word] and buckets > 0 else end
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
                    row = first_bucket + np.int64(hashed % np.uint32(buckets))
                    for d in range(D):
                        out[word, d] += stored[row, d]
                    added += 1
            start += 1
            while start < end and (letters[start] & 0xC0) == 0x80:
                start += 1
        counts[word] = added
        if added:
            scale = np.float32(1) / np.float32(added)
            for d in range(D):
                out[word, d] *= scale

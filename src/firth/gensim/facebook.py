"""fastText's .bin models with gensim's functions: read as vectors or to be trained on, and written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firth.errors import BadFile
from firth.formats import read_vectors
from firth.formats.fasttext import HEAD, LOSSES, SHAPE, SKIPGRAM, Header, write_fasttext
from firth.gensim.fasttext import FastText
from firth.gensim.subword_vectors import FastTextKeyedVectors
from firth.gensim.word2vec_format import check_encoding
from firth.storage import AnyPath, is_gzip, opened
from firth.vectors import SubwordVectors

SUPERVISED = 3  # fastText's number of a classifier


def load_facebook_vectors(path: AnyPath, encoding: str = "utf-8") -> FastTextKeyedVectors:
    """The vectors of a .bin model of fastText's; n-grams' rows stay in the file, and are read-only.

    Raises what `WordVectors.load` raises, and `ValueError` for another encoding than UTF-8.
    """
    check_encoding(encoding)
    return FastTextKeyedVectors.of(read_vectors(path, "fasttext", encoding_errors="backslashreplace"))


def load_facebook_model(path: AnyPath, encoding: str = "utf-8") -> FastText:
    """A .bin model of fastText's, to be trained on.

    Raises what `load_facebook_vectors` raises, also for options in its header that nothing can be trained by,
    `NotImplementedError` for a classifier, and `ValueError` for another loss than negative sampling or a packed file.
    """
    read = load_facebook_vectors(path, encoding)
    if is_gzip(path):
        raise ValueError(f"{path} is packed, and a whole model is not read so; unpack it first")
    with opened(path) as file:
        head = Header.of(file.read(HEAD.size))
    if head.model == SUPERVISED:
        raise NotImplementedError(f"{path} is a classifier, not trained on here; its words: load_facebook_vectors")
    if head.loss != LOSSES["ns"]:
        raise ValueError(
            f"{path} was not trained by negative sampling, as firth trains n-grams; its vectors: load_facebook_vectors"
        )
    try:
        model = FastText(
            sg=int(head.model == SKIPGRAM),
            vector_size=head.vector_size,
            window=head.window,
            epochs=head.epochs,
            negative=head.negative,
            min_count=head.min_count,
            sample=head.sample,
            min_n=read.min_n,
            max_n=read.max_n,
            bucket=read.bucket,
        )
    except ValueError as error:
        raise BadFile(
            f"{path} holds options that nothing can be trained by: {error}; its vectors: load_facebook_vectors"
        ) from error
    at_end = Path(path).stat().st_size
    words, D = head.words, head.vector_size
    output, begins = _matrix_before(path, at_end, words, D)
    inputs, _ = _matrix_before(path, begins, words + head.bucket, D)
    read.vectors_vocab, read.vectors_ngrams = inputs[:words], inputs[words : words + read.bucket]
    model.wv, model.syn1neg, model.corpus_total_words = read, output, head.tokens
    return model


def save_facebook_model(
    model: FastText, path: AnyPath, encoding: str = "utf-8", lr_update_rate: int = 100, word_ngrams: int = 1
) -> None:
    """Write a model as fastText's .bin; buckets without a row get zeros, so the file holds all `bucket` rows.

    fastText counts these zeros in its means: vectors of unseen words come out shorter there, in the same direction.

    Raises `ValueError` for another encoding than UTF-8, and `RuntimeError` where there is no vocabulary.
    """
    check_encoding(encoding)
    if (lr_update_rate, word_ngrams) != (100, 1):
        raise ValueError(
            f"files tell the lr_update_rate 100 and the word_ngrams 1, got {lr_update_rate} and {word_ngrams}; leave "
            "them out"
        )
    if not len(model.wv.vectors):
        raise RuntimeError("there is nothing to save: no vocabulary was built")
    vocabulary, weights = model._ranked()
    wv = model.wv
    vectors = SubwordVectors(
        vocabulary.words,
        weights.input,
        vocabulary.counts,
        gram_rows=wv.vectors_ngrams,
        kind=wv.kind,
        buckets=wv.gram_buckets,
        check=False,
    )
    write_fasttext(path, vectors, own=weights.input, output=weights.output, options=model.options.as_dict())


def _matrix_before(path: AnyPath, end: int, rows: int, columns: int) -> tuple[NDArray[np.float32], int]:
    """The matrix of float32 that ends at this byte of a file, and where what tells its shape begins."""
    begin = end - 4 * rows * columns
    with Path(path).open("rb") as file:
        file.seek(max(begin - SHAPE.size, 0))
        shape = file.read(SHAPE.size)
        if shape != SHAPE.pack(False, rows, columns):
            raise BadFile(f"{path}: no matrix of {rows} rows of {columns} numbers at its end; fetch the file anew")
        matrix = np.fromfile(file, "<f4", rows * columns).reshape(rows, columns)
    return matrix, begin - SHAPE.size

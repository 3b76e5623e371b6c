"""GloVe's text: word2vec's, but without the line of sizes.

    the 0.418 0.24968 -0.41242 ...

Newer versions write that line too; such a file is word2vec's text. Some words of the Common Crawl vectors hold spaces
(`. . .`): what stands before the last D numbers is the word, and D is found in the first line.
"""

from __future__ import annotations

from collections.abc import Sequence

from firth.errors import BadFile
from firth.formats.checks import (
    MAX_VECTOR_SIZE,
    GrowingMatrix,
    Matrix,
    check_reading,
    check_unique,
    decoded,
    encoded,
)
from firth.formats.rows import BLOCK_BYTES, is_number, line_blocks, lines_of, parse_block, row_blocks
from firth.formats.word2vec import check_writing
from firth.storage import AnyPath, opened, replaced_packed

LONGEST_LINE = 16 * MAX_VECTOR_SIZE
MOST_WORD_FIELDS = 16  # more spaces in a word than any known file has; beyond, a line is prose that ends in numbers


def read_glove(path: AnyPath, *, encoding_errors: str = "strict", limit: int | None = None) -> tuple[list[str], Matrix]:
    """The words and the float32 (V, D) matrix; at most `limit` rows. Arguments as for `word2vec.read_text`.

    Raises:
        MissingFile: nothing is there, or it may not be read.
        BadFile: no row of numbers, rows of different lengths, not a number, a word twice, or not UTF-8 under strict.
        BadOption: an unknown value of `encoding_errors`, or a limit below 0.
    """
    check_reading(encoding_errors, limit)
    with opened(path) as file:
        first = file.readline(LONGEST_LINE)
        D = numbers_at_end(first)
        if not D or D > MAX_VECTOR_SIZE:
            raise BadFile(
                f"{path}: the first line must be a word and its numbers, got {first[:40]!r}; "
                "read the file in its own format"
            )
        words: list[str] = []
        matrix, line = GrowingMatrix(D, path), 1
        for block in line_blocks(file, D, path, start=first):
            if limit is not None and len(words) >= limit:
                break
            found, values = parse_block(block, D, line, path, spaced=True)
            line += block.count(b"\n")
            kept = len(found) if limit is None else min(len(found), limit - len(words))
            matrix.add(values[:kept])
            words += decoded(found[:kept], encoding_errors, len(words) + 1, path)
    check_unique(words, BadFile, f"{path}: ")
    return words, matrix.whole()


def write_glove(path: AnyPath, words: Sequence[str], matrix: Matrix) -> None:
    """Write V words and their float32 (V, D) matrix as text without a line of sizes; errors as word2vec's."""
    check_writing(words, matrix)
    with replaced_packed(path) as file:
        for start, block in row_blocks(matrix):
            file.write(lines_of(encoded(words[start : start + len(block)]), block))


def numbers_at_end(line: bytes) -> int:
    """How many numbers stand behind the word in a line; 0 where it is no row of a word and numbers.

    A last field that the end of `line` may have cut (it has no newline) is left out.
    """
    text, newline, _ = line.partition(b"\n")
    fields = text.rstrip(b" \r").split(b" ")
    if not newline and len(line) >= BLOCK_BYTES:
        fields.pop()
    count = 0
    while count < len(fields) - 1 and is_number(fields[-1 - count]):
        count += 1
    return count if len(fields) - count <= MOST_WORD_FIELDS else 0

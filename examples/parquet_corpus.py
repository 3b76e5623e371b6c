"""Train on a column of a Parquet file, or of CSV or JSON lines, keep the model, open it again.

    python examples/parquet_corpus.py [PATH COLUMN]

Without arguments, a table of made-up sentences is written and read back.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import firth
from firth.world import sentences


def made_up_table(path: Path) -> None:
    """A table of sentences about a made-up world, one a row."""
    texts = [" ".join(sentence).capitalize() + "." for sentence in sentences(20_000)]
    pq.write_table(pa.table({"id": range(len(texts)), "text": texts}), path)


def main(path: Path, column: str, folder: Path) -> firth.WordVectors:
    """Train on the column, save the model and its vectors in `folder`, and tell."""
    model = firth.Word2Vec(vector_size=64, workers=1)
    model.fit(path, column=column, tokenizer="words", progress=False)
    model.save(folder / "model.safetensors")
    model.vectors.save(folder / "vectors.bin")  # word2vec's format, for other programs

    vectors = firth.Word2Vec.load(folder / "model.safetensors").vectors
    print(f"{model.state.words:,} words trained; {vectors}")
    for word in vectors.words[100:350:50]:
        print(f"{word}:", ", ".join(near for near, _ in vectors.most_similar(word, topn=4)))
    return vectors


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if len(sys.argv) > 2:
            main(Path(sys.argv[1]), sys.argv[2], folder)
        else:
            made_up_table(folder / "table.parquet")
            main(folder / "table.parquet", "text", folder)

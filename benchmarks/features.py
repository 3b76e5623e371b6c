"""Documents told apart by word vectors, by tf-idf, and by both: an easy question and a hard one, on real paragraphs.

FIRTH_CORPORA=... python benchmarks/features.py
"""

import lzma
import os
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline, make_union

from firth.sklearn import Word2VecTransformer

FOLDS = StratifiedKFold(2, shuffle=True, random_state=0)


def paragraphs(name, count):
    """The first paragraphs of more than 80 characters, cut at 200."""
    with lzma.open(Path(os.environ["FIRTH_CORPORA"]) / "raw" / f"{name}.txt.xz", "rt", encoding="utf-8") as file:
        return [line.strip()[:200] for line in file if len(line) > 80][:count]


def judge(question, documents, labels):
    """Print the accuracy of each kind of features, mean of two folds."""
    features = {"tfidf": (TfidfVectorizer(), 10)}
    for weighting in ("mean", "tfidf", "sif"):
        for epochs in (5, 20):
            made = Word2VecTransformer(weighting=weighting, epochs=epochs, min_count=2, empty="zeros")
            features[f"word vectors, {weighting}, {epochs} epochs"] = made, 100
    features["tfidf and the last"] = make_union(TfidfVectorizer(), made), 10
    for name, (made, C) in features.items():
        pipeline = make_pipeline(made, LogisticRegression(C=C, max_iter=3000))
        accuracy = cross_val_score(pipeline, documents, labels, cv=FOLDS, error_score="raise").mean()
        print(f"{question}: {name}: {100 * accuracy:.1f} %", flush=True)


if __name__ == "__main__":
    novels, articles = paragraphs("en_novels", 1500), paragraphs("en_wikipedia", 1500)
    judge("novel or Wikipedia", novels + articles, [0] * len(novels) + [1] * len(articles))
    novels = paragraphs("en_novels", 6000)
    judge("quarter of the novels", novels, [place * 4 // len(novels) for place in range(len(novels))])

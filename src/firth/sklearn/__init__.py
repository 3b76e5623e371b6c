"""Documents as features for scikit-learn: in pipelines, in grid searches, cloned, pickled.

    from firth.sklearn import Word2VecTransformer

    pipeline = make_pipeline(Word2VecTransformer(vector_size=50), LogisticRegression())
    pipeline.fit(documents, labels)

Needs the extra: pip install 'firth[sklearn]'.
"""

from firth.errors import optional

optional("sklearn", extra="sklearn", purpose="firth.sklearn", package="scikit-learn")  # before what imports it

from firth.sklearn.transformer import Word2VecTransformer  # noqa: E402

__all__ = ["Word2VecTransformer"]

"""What gensim and fastText call what stands here under other names: said where somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping

# Of gensim's KeyedVectors and fastText's models, what there is of `WordVectors`.
OF_VECTORS = {
    **dict.fromkeys(("index_to_key", "index2word", "index2entity", "get_words"), "vectors.words"),
    **dict.fromkeys(("key_to_index", "get_index", "get_word_id"), "vectors.index(word)"),
    "vocab": "vectors.words, vectors.index(word) and vectors.counts",
    **dict.fromkeys(("vectors", "syn0", "get_input_matrix"), "vectors.matrix"),
    **dict.fromkeys(("vectors_norm", "syn0norm", "get_normed_vectors"), "vectors.normalized().matrix"),
    **dict.fromkeys(
        ("get_vector", "word_vec", "get_word_vector"),
        "vectors[word]; where n-grams were trained, vector(word) gives that of any word",
    ),
    "vector": "vectors[word]; where n-grams were trained, as with subwords=True, words never seen have one, too",
    "get_subwords": "firth.ngrams.buckets_of([word.encode()], vectors.kind), where n-grams were trained",
    "vectors_ngrams": "vectors.gram_rows, where n-grams were trained",
    "vectors_vocab": "model.weights.input, where n-grams were trained",
    "has_index_for": "word in vectors",
    "get_dimension": "vectors.vector_size",
    "get_vecattr": "vectors.counts[vectors.index(word)]",
    "get_nearest_neighbors": "vectors.most_similar(word)",
    "get_analogies": "vectors.analogy(a, b, c)",
    **dict.fromkeys(("get_mean_vector", "get_sentence_vector"), "vectors.mean_vector(words)"),
    **dict.fromkeys(("add_vector", "add_vectors"), "vectors.added(words, matrix)"),
    "sort_by_descending_frequency": "vectors.sorted_by_count()",
    **dict.fromkeys(("init_sims", "fill_norms"), "vectors.norms, which need no call"),
    **dict.fromkeys(("save_word2vec_format", "save_facebook_model"), "vectors.save(path)"),
    **dict.fromkeys(("load_word2vec_format", "load_model"), "firth.WordVectors.load(path)"),
    "evaluate_word_pairs": "firth.evaluate_similarity(vectors, path)",
    **dict.fromkeys(("evaluate_word_analogies", "accuracy"), "firth.evaluate_analogies(vectors, path)"),
}

# Of their models, what there is of `Word2Vec`, besides what its vectors have.
OF_MODELS = {
    **dict.fromkeys(("wv", "kv"), "model.vectors"),
    "train": "model.fit(corpus)",
    "build_vocab": "model.fit(corpus), which counts the words, too",
    "predict_output_word": "model.predict(words)",
    **dict.fromkeys(("get_latest_training_loss", "running_training_loss"), "model.losses"),
    **dict.fromkeys(("syn1", "syn1neg", "get_output_matrix"), "model.weights.output"),
    "save_model": "model.save(path)",
    "load_model": "firth.Word2Vec.load(path)",
}

# Of their modules, what there is in `firth`.
OF_MODULES = {
    "train_unsupervised": "firth.Word2Vec(subwords=True, ...).fit(path)",
    "FastText": "firth.Word2Vec(subwords=True, ...); firth.WordVectors.load reads fastText's .bin files",
    **dict.fromkeys(("KeyedVectors", "load_facebook_vectors"), "firth.WordVectors"),
    **dict.fromkeys(("load", "load_model", "load_facebook_model"), "firth.Word2Vec.load or firth.WordVectors.load"),
    **dict.fromkeys(("LineSentence", "PathLineSentences", "Text8Corpus"), "firth.Word2Vec(...).fit(path)"),
    **dict.fromkeys(("Phraser", "FrozenPhrases"), "firth.Phrases"),
    "models": "firth.gensim.models",
}


def here(name: str, names: Mapping[str, str]) -> str:
    """What stands in the place of `name`, as the end of a sentence; nothing where `names` do not tell."""
    return f"; here it is {names[name]}" if name in names else ""

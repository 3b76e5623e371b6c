"""Other libraries read what firth writes, and firth reads what they write; see the groups `test` and `interop`."""

import json
import warnings

import numpy as np
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file
from stand_ins import fasttext_bytes, subword_vectors

from firth import CorpusOptions, Word2Vec, WordVectors
from firth.errors import BadFile
from firth.formats import convert, read_vectors, write_vectors
from firth.formats.static import write_static

WORDS = ["the", "über", "漢字", "cat", "sat"]
SENTENCE = "the cat sat über unknown"


def library(name):
    """An optional library, whatever it warns of while it is loaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, reason=f"{name} is not installed: pip install --group interop")


@pytest.fixture
def vectors():
    matrix = np.random.default_rng(0).standard_normal((len(WORDS), 4), dtype=np.float32)
    return WordVectors(WORDS, matrix, np.arange(5, 0, -1))


# ---- always there -----------------------------------------------------------------------------------


def test_numpy_loads_archives_without_pickles(tmp_path, vectors):
    vectors.save(tmp_path / "v.npz")
    with np.load(tmp_path / "v.npz", allow_pickle=False) as found:
        assert found["words"].tolist() == WORDS
        np.testing.assert_array_equal(found["vectors"], vectors.matrix)
        assert found["counts"].tolist() == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "<i4"])
def test_archives_that_numpy_wrote_are_read(tmp_path, vectors, save, dtype):
    matrix = (vectors.matrix * 100).astype(dtype)
    save(tmp_path / "v.npz", words=np.array([word.encode() for word in WORDS]), vectors=matrix)
    np.testing.assert_array_equal(read_vectors(tmp_path / "v.npz").matrix, matrix.astype(np.float32))
    assert read_vectors(tmp_path / "v.npz").words == tuple(WORDS)


def test_safetensors_loads_what_an_embedding_of_torch_takes(tmp_path, vectors):
    vectors.save(tmp_path / "v.safetensors", "safetensors")
    found = load_file(tmp_path / "v.safetensors")
    assert list(found) == ["embedding.weight"]
    np.testing.assert_array_equal(found["embedding.weight"], vectors.matrix)


@pytest.mark.parametrize("name", ["embedding.weight", "wte.weight", "anything"])
@pytest.mark.parametrize("where", ["metadata", "vocab.txt", "tokenizer.json"])
def test_safetensors_of_other_names_are_read(tmp_path, vectors, name, where):
    said = {"words": json.dumps(WORDS)} if where == "metadata" else None
    save_file({name: vectors.matrix, "bias": np.ones(3)}, tmp_path / "v.safetensors", said)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n" if where == "vocab.txt" else "", encoding="utf-8")
    if where == "tokenizer.json":
        vocabulary = {"model": {"type": "Unigram", "vocab": [[word, -1.0] for word in WORDS]}}
        (tmp_path / "tokenizer.json").write_text(json.dumps(vocabulary))
    read = read_vectors(tmp_path / "v.safetensors")
    assert read.words == tuple(WORDS)
    np.testing.assert_array_equal(read.matrix, vectors.matrix)


@pytest.mark.parametrize("kind", ["bfloat16", "float16", "float64"])
def test_an_embedding_of_torch_goes_both_ways(tmp_path, vectors, kind):
    torch, tensors = library("torch"), library("safetensors.torch")
    layer = torch.nn.ModuleDict({"embedding": torch.nn.Embedding(len(WORDS), 4)})
    vectors.save(tmp_path / "v.safetensors", "safetensors")
    layer.load_state_dict(tensors.load_file(tmp_path / "v.safetensors"), strict=True)
    np.testing.assert_array_equal(layer["embedding"].weight.detach().numpy(), vectors.matrix)
    layer.to(getattr(torch, kind))
    said = {"words": json.dumps(WORDS)}
    tensors.save_file(layer.state_dict(), tmp_path / "back.safetensors", said)
    expected = layer["embedding"].weight.detach().float().numpy()
    np.testing.assert_array_equal(read_vectors(tmp_path / "back.safetensors").matrix, expected)


def test_model2vec_s_tokens_may_share_rows_and_have_factors(tmp_path, vectors):
    vectors.save(tmp_path / "m", "model2vec")
    parts = {"embeddings": vectors.matrix[:2], "mapping": np.array([0, 1, 1, 0, 1, 0]), "weights": np.arange(6.0)}
    save_file(parts, tmp_path / "m" / "model.safetensors")
    read = read_vectors(tmp_path / "m")
    np.testing.assert_allclose(read.matrix, vectors.matrix[[0, 1, 1, 0, 1, 0]] * np.arange(6.0)[:, None], rtol=1e-6)
    save_file(parts | {"mapping": np.array([0, 1, 2, 0, 1, 0])}, tmp_path / "m" / "model.safetensors")
    with pytest.raises(BadFile, match="mapping must be the row of each token, 0 to 1"):
        read_vectors(tmp_path / "m")


def test_arrow_and_parquet_are_tables_of_words_and_lists(tmp_path, vectors):
    vectors.save(tmp_path / "v.arrow")
    vectors.save(tmp_path / "v.parquet")
    for table in (pyarrow.feather.read_table(tmp_path / "v.arrow"), pq.read_table(tmp_path / "v.parquet")):
        assert [str(field.type) for field in table.schema] == [
            "string",
            "fixed_size_list<item: float>[4]",
            "int64",
        ] or [str(field.type) for field in table.schema] == ["string", "fixed_size_list<element: float>[4]", "int64"]
        assert table["word"].to_pylist() == WORDS


@pytest.mark.parametrize("write", [pq.write_table, pyarrow.feather.write_feather])
def test_tables_with_lists_of_any_width_are_read(tmp_path, vectors, write):
    numbers = pyarrow.array(vectors.matrix.astype(np.float64).tolist(), pyarrow.list_(pyarrow.float64()))
    words = pyarrow.array(WORDS).dictionary_encode()
    write(pyarrow.table({"id": range(5), "token": words, "embedding": numbers}), tmp_path / "table")
    read = read_vectors(tmp_path / "table")
    assert read.words == tuple(WORDS)
    np.testing.assert_array_equal(read.matrix, vectors.matrix)


def test_tokenizers_number_the_words_and_cut_as_firth_does(tmp_path, vectors):
    tokenizers = library("tokenizers")
    texts = ["The  cat's\tsat; THE café, 漢字!", "it’s 3 o'clock 'tis", "ab1c dé"]
    for name in ("whitespace", "letters", "words"):
        write_static(tmp_path / name, WORDS, vectors.matrix, tokenizer=name)
        read = tokenizers.Tokenizer.from_file(str(tmp_path / name / "tokenizer.json"))
        cut = read.pre_tokenizer.pre_tokenize_str
        for text in texts:
            lowered = read.normalizer.normalize_str(text) if read.normalizer else text
            assert [piece for piece, _ in cut(lowered)] == tokens_of(name, text)
        assert read.encode("the unknown 漢字").ids[0] == 0


def tokens_of(name, text):
    """What firth's tokenizer of that name makes of a text."""
    from firth.corpus import encoded_corpus

    with encoded_corpus([text], CorpusOptions(tokenizer=name, cache=False)) as corpus:
        words = corpus.words.to_pylist()
        return [words[number] for chunk in corpus.chunks(1 << 20) for number in chunk.tokens]


# ---- where they are installed -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "binary"), [("v.txt", False), ("v.bin", True), ("v.bin.gz", True), ("v.glove", False)]
)
@pytest.mark.filterwarnings("ignore:.*v.glove:pytest.PytestUnraisableExceptionWarning")  # gensim opens it twice
def test_gensim_reads_the_same_vectors_and_the_other_way_round(tmp_path, vectors, name, binary):
    gensim = library("gensim.models")
    headless = name == "v.glove"
    vectors.save(tmp_path / name)
    found = gensim.KeyedVectors.load_word2vec_format(str(tmp_path / name), binary=binary, no_header=headless)
    assert found.index_to_key == WORDS
    np.testing.assert_array_equal(found.vectors, vectors.matrix)
    found.save_word2vec_format(str(tmp_path / f"g{name}"), binary=binary, write_header=not headless)
    np.testing.assert_array_equal(read_vectors(tmp_path / f"g{name}").matrix, vectors.matrix)


def test_finalfusion_reads_the_same_vectors_and_the_other_way_round(tmp_path, vectors):
    peer = library("finalfusion")
    vectors.save(tmp_path / "v.fifu")
    found = peer.load_finalfusion(tmp_path / "v.fifu")
    assert list(found.vocab) == WORDS
    np.testing.assert_allclose(found.norms, vectors.norms, rtol=1e-6)
    for word in WORDS:
        unit, norm = found.embedding_with_norm(word)
        np.testing.assert_allclose(unit * norm, vectors[word], rtol=3e-7)
    near = [(each.word, each.similarity) for each in found.word_similarity("cat", k=4)]
    expected = vectors.most_similar("cat", topn=4)
    assert [word for word, _ in near] == [word for word, _ in expected]
    np.testing.assert_allclose([score for _, score in near], [score for _, score in expected], atol=1e-6)
    found.write(tmp_path / "again.fifu")
    again = read_vectors(tmp_path / "again.fifu")
    assert again.words == tuple(WORDS)
    np.testing.assert_allclose(again.matrix, vectors.matrix, rtol=3e-7)


@pytest.mark.parametrize("form", ["buckets", "explicit"])
def test_of_finalfusion_s_subwords_the_words_are_read(tmp_path, vectors, form):
    """Of a file that finalfusion wrote itself, with n-grams and metadata."""
    peer = library("finalfusion")
    indexer = library("finalfusion.subword").FinalfusionHashIndexer(3)
    vocab = library("finalfusion.vocab").FinalfusionBucketVocab(WORDS, indexer)
    rows = np.concatenate([vectors.matrix, np.ones((indexer.upper_bound, 4), np.float32)])
    norms = np.linalg.norm(rows, axis=1)
    storage = library("finalfusion.storage").NdArray((rows / norms[:, None]).astype(np.float32))
    made = peer.Embeddings(
        storage,
        vocab,
        norms=library("finalfusion.norms").Norms(norms[: len(WORDS)].astype(np.float32)),
        metadata=library("finalfusion.metadata").Metadata({"source": "a test"}),
    )
    (made if form == "buckets" else made.bucket_to_explicit()).write(tmp_path / "v.fifu")
    read = read_vectors(tmp_path / "v.fifu")
    assert read.words == tuple(WORDS)
    np.testing.assert_allclose(read.matrix, vectors.matrix, rtol=1e-6)


def test_gensim_reads_the_same_fasttext_model(tmp_path):
    gensim = library("gensim.models.fasttext")
    (tmp_path / "m.bin").write_bytes(fasttext_bytes(dict.fromkeys(WORDS, 1)))
    found = gensim.load_facebook_vectors(str(tmp_path / "m.bin"))
    read = WordVectors.load(tmp_path / "m.bin")
    for word in (*WORDS, "cats", "überall", "漢字漢"):
        np.testing.assert_allclose(read.vector(word), found[word], rtol=1e-5, atol=1e-6)


def test_fasttext_gives_the_same_vectors_bit_by_bit(tmp_path):
    peer = library("fasttext")
    for options in ({}, {"shortest": 1, "longest": 2}, {"longest": 0}, {"buckets": 1}):
        (tmp_path / "m.bin").write_bytes(fasttext_bytes(dict.fromkeys(["</s>", *WORDS], 1), **options))
        found, read = peer.load_model(str(tmp_path / "m.bin")), WordVectors.load(tmp_path / "m.bin")
        assert found.words == list(read.words)
        unseen = [] if options.get("longest") == 0 else ["cats", "überall", "漢字漢", "x", "🙂🙂"]
        for word in (*read.words, *unseen):
            if found.get_word_vector(word).any():
                assert read.vector(word).tobytes() == found.get_word_vector(word).tobytes()


@pytest.fixture
def trained(tmp_path):
    """A model with n-grams in its file, and in fastText's."""
    sentences = [["</s>", "</s>", "</s>", *WORDS, "cats", "überall"], ["the", "漢字漢", "sat", "🙂🙂"]] * 200
    options = {"min_n": 2, "max_n": 5, "bucket": 3000, "vector_size": 12, "window": 3, "negative": 4, "sample": 0}
    model = Word2Vec(subwords=True, min_count=1, epochs=3, **options).fit(sentences)
    model.save(tmp_path / "m.safetensors")
    convert(tmp_path / "m.safetensors", tmp_path / "m.fasttext.bin")
    return model


def test_fasttext_reads_a_model_with_n_grams(tmp_path, trained):
    peer = library("fasttext")
    found, vectors = peer.load_model(str(tmp_path / "m.fasttext.bin")), trained.vectors
    assert found.words == list(vectors.words)
    assert found.get_words(include_freq=True)[1].tolist() == vectors.counts.tolist()
    for word in vectors.words:
        assert found.get_word_vector(word).tobytes() == vectors[word].tobytes()
    read = read_vectors(tmp_path / "m.fasttext.bin")
    for word in ("cat's", "überallhin", "漢字漢字", "sats"):
        theirs, ours = found.get_word_vector(word), vectors.vector(word)
        assert read.vector(word).tobytes() == theirs.tobytes()
        np.testing.assert_allclose(theirs / np.linalg.norm(theirs), ours / np.linalg.norm(ours), rtol=1e-4, atol=1e-6)
        near, expected = found.get_nearest_neighbors(word, k=4), vectors.most_similar(word, topn=4)
        assert [word for _, word in near] == [word for word, _ in expected]
        np.testing.assert_allclose([score for score, _ in near], [score for _, score in expected], atol=1e-5)
    np.testing.assert_array_equal(found.get_output_matrix(), trained.weights.output)
    np.testing.assert_array_equal(found.get_input_matrix()[: len(vectors)], trained.weights.input)
    args = found.f.getArgs()
    assert (args.dim, args.ws, args.epoch, args.neg, args.minn, args.maxn, args.bucket) == (12, 3, 3, 4, 2, 5, 3000)


@pytest.mark.parametrize("kind", ["with n-grams", "without", "limited"])
def test_fasttext_reads_vectors_that_come_without_own_rows(tmp_path, vectors, kind):
    peer = library("fasttext")
    if kind != "without":
        vectors, _ = subword_vectors(dict.fromkeys(["</s>", *WORDS, "überall"], 1))
        vectors = vectors.sliced(4) if kind == "limited" else vectors
    vectors.save(tmp_path / "m.fasttext.bin")
    found = peer.load_model(str(tmp_path / "m.fasttext.bin"))
    assert found.words == list(vectors.words)
    most = np.abs(vectors.matrix).max()
    for word in vectors.words:
        np.testing.assert_allclose(found.get_word_vector(word), vectors[word], rtol=3e-7, atol=1e-7 * most)
    found.save_model(str(tmp_path / "again.bin"))
    assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "m.fasttext.bin").read_bytes()


def test_gensim_reads_a_fasttext_model_that_was_trained_here(tmp_path, trained):
    gensim = library("gensim.models.fasttext")
    found = gensim.load_facebook_model(str(tmp_path / "m.fasttext.bin"))
    read = read_vectors(tmp_path / "m.fasttext.bin")
    assert found.wv.index_to_key == list(read.words)
    assert read.words[0] == "</s>"  # to which gensim gives n-grams, and fastText none
    for word in (*read.words[1:], "überallhin", "漢字漢字", "sats"):
        np.testing.assert_allclose(found.wv[word], read.vector(word), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found.syn1neg, trained.weights.output)


def test_sentence_transformers_means_the_words(tmp_path, vectors):
    peer = library("sentence_transformers")
    for layout in ("sentence-transformers", "model2vec"):
        write_vectors(vectors, tmp_path / layout, layout)
        model = peer.SentenceTransformer(str(tmp_path / layout), device="cpu", local_files_only=True)
        expected = vectors[["the", "cat", "sat", "über"]].sum(axis=0) / 5  # the unknown word counts, as zeros
        np.testing.assert_allclose(model.encode(SENTENCE), expected, rtol=1e-5)
    model.save(str(tmp_path / "saved"))
    np.testing.assert_array_equal(read_vectors(tmp_path / "saved")["cat"], vectors["cat"])


def test_model2vec_means_the_words(tmp_path, vectors):
    peer = library("model2vec")
    for layout in ("model2vec", "sentence-transformers"):
        write_vectors(vectors, tmp_path / layout, layout)
        model = peer.StaticModel.from_pretrained(str(tmp_path / layout))
        expected = vectors[["the", "cat", "sat", "über"]].mean(axis=0)  # the unknown word is left out
        np.testing.assert_allclose(model.encode(SENTENCE), expected, rtol=1e-5)
    model.save_pretrained(str(tmp_path / "saved"))
    read = read_vectors(tmp_path / "saved")
    np.testing.assert_array_equal(read["cat"], vectors["cat"])
    assert read.words == (*WORDS, "[UNK]")  # who saved it does not say that the row was added


def test_spacy_takes_the_text(tmp_path, vectors):
    """By what `spacy init vectors` calls."""
    spacy = library("spacy")
    vectors.save(tmp_path / "v.txt")
    pipeline = spacy.blank("en")
    library("spacy.training.initialize").convert_vectors(pipeline, tmp_path / "v.txt", truncate=-1, prune=-1)
    np.testing.assert_array_equal(pipeline.vocab.get_vector("über"), vectors["über"])

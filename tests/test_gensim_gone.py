"""What gensim 3 had and gensim 4 has not, what only gensim has, and files mistaken for others: errors that lead on."""

import gzip
import pickle

import numpy as np
import pytest

import firth
from firth import WordVectors, gensim
from firth.errors import BadFile
from firth.gensim.gone import GENSIM_S_ALONE, GONE_FROM_MODELS, GONE_FROM_VECTORS
from firth.gensim.models import KeyedVectors, Phrases, Word2Vec

MODEL = Word2Vec(vector_size=16)
ROWS = np.arange(1, 9).reshape(2, 4) / 3


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Word2Vec([["a", "b"]], size=16), "the argument size is called vector_size since gensim 4; rename it"),
        (lambda: Word2Vec(iter=3), "the argument iter is called epochs since gensim 4"),
        (lambda: Phrases(common_terms=["of"]), "the argument common_terms is called connector_words"),
        (lambda: Word2Vec(nothing=3), "got an unexpected keyword argument 'nothing'"),
    ],
)
def test_arguments_of_gensim_3_are_told_their_names_of_today(make, told):
    with pytest.raises(TypeError, match=told):
        make()


@pytest.mark.parametrize("name", sorted(GONE_FROM_MODELS))
def test_a_model_tells_what_came_in_the_place_of_an_attribute(name):
    with pytest.raises(AttributeError, match=f"^{name} is gone since gensim 4; take "):
        getattr(MODEL, name)


@pytest.mark.parametrize("name", sorted(GONE_FROM_VECTORS))
def test_vectors_tell_what_came_in_the_place_of_an_attribute(name):
    assert not hasattr(MODEL.wv, name)
    with pytest.raises(AttributeError, match=f"^{name} is gone since gensim 4; take "):
        getattr(MODEL.wv, name)


def test_queries_of_a_model_are_led_to_its_vectors():
    with pytest.raises(AttributeError, match=r"since gensim 4; take model\.wv\.most_similar$"):
        MODEL.most_similar("king")
    with pytest.raises(TypeError, match=r"since gensim 4; take model\.wv\[key\], key in model\.wv$"):
        MODEL["king"]
    with pytest.raises(TypeError, match=r"since gensim 4; take model\.wv\[key\], key in model\.wv$"):
        _ = "king" in MODEL
    with pytest.raises(AttributeError, match=r"^'Word2Vec' object has no attribute 'nothing'$"):
        MODEL.nothing  # noqa: B018
    with pytest.raises(AttributeError, match=r"^'KeyedVectors' object has no attribute 'nothing'$"):
        MODEL.wv.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in GENSIM_S_ALONE for name in GENSIM_S_ALONE[module]]
)
def test_parts_that_firth_has_not_are_led_to_gensim(module, name):
    owner = {"firth.gensim": gensim, "firth.gensim.models": gensim.models}[module]
    gensim_s = module.removeprefix("firth.")
    told = f"'{{}}': .* import it from {gensim_s}, which runs beside firth$"
    assert not hasattr(owner, name)
    with pytest.raises(AttributeError, match=told.format(name)):
        getattr(owner, name)
    for statement in (f"from {module} import {name}", f"import {module}.{name}", f"from {module}.{name} import Any"):
        with pytest.raises(ModuleNotFoundError, match=told.format(f"{module}.{name}")):
            exec(statement)
    assert not hasattr(owner, "nothing")
    with pytest.raises(AttributeError, match=f"^module '{module}' has no attribute 'nothing'$"):
        owner.nothing  # noqa: B018


@pytest.fixture
def files(tmp_path):
    """A file of vectors in each format of word2vec's, GloVe's, and a pickle as gensim's `save` writes it."""
    vectors = WordVectors(["king", "queen"], ROWS)
    for name in ("v.txt", "v.bin", "v.bin.gz", "v.glove", "v.npz"):
        vectors.save(tmp_path / name)
    (tmp_path / "gensim.model").write_bytes(pickle.dumps({"vectors": ROWS}))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "arguments", "remedy"),
    [
        ("v.bin", {}, "by its first bytes it is word2vec-binary, not word2vec-text, which is read with binary=True"),
        ("v.bin.gz", {}, "it is word2vec-binary, not word2vec-text, which is read with binary=True"),
        ("v.txt", {"binary": True}, "it is word2vec-text, not word2vec-binary, which is read with binary=False"),
        ("v.glove", {}, "it is glove, not word2vec-text, which is read with no_header=True"),
        ("v.npz", {}, "by its first bytes it is npz, not word2vec-text$"),
    ],
)
def test_a_file_read_in_the_wrong_format_is_told_the_right_one(files, name, arguments, remedy):
    with pytest.raises(BadFile, match=remedy):
        KeyedVectors.load_word2vec_format(files / name, **arguments)


def test_what_no_format_looks_like_is_told_nothing_more(tmp_path):
    (tmp_path / "v.txt").write_text("once upon a time\n")
    with pytest.raises(BadFile, match=r"in its own format$"):
        KeyedVectors.load_word2vec_format(tmp_path / "v.txt")


def test_pickles_are_told_and_how_gensim_writes_what_can_be_read(files):
    for load in (Word2Vec.load, KeyedVectors.load, firth.Word2Vec.load, firth.WordVectors.load):
        with pytest.raises(
            BadFile, match=r"is pickled, as gensim's save .* have gensim write wv\.save_word2vec_format"
        ):
            load(files / "gensim.model")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_safetensors_file_whose_length_looks_like_a_pickle_is_none(tmp_path, protocol):
    """Its first two bytes, the low ones of the header's length, are those of a pickle of that protocol."""
    WordVectors(["king", "queen"], ROWS).save(tmp_path / "v.safetensors")
    whole = (tmp_path / "v.safetensors").read_bytes()
    end = 8 + int.from_bytes(whole[:8], "little")
    length = 0x80 + (protocol << 8)
    while length < end - 8:
        length += 1 << 16
    looks = length.to_bytes(8, "little") + whole[8:end].ljust(length) + whole[end:]
    assert looks[:2] == bytes([0x80, protocol])
    (tmp_path / "v.safetensors").write_bytes(looks)
    assert WordVectors.load(tmp_path / "v.safetensors").words == ("king", "queen")
    (tmp_path / "v.safetensors").write_bytes(looks[:-1])
    with pytest.raises(BadFile, match="truncated or not a safetensors file"):
        WordVectors.load(tmp_path / "v.safetensors")


def test_vectors_opened_as_a_model_are_led_to_what_opens_vectors(files):
    for load, opener in (
        (Word2Vec.load, r"KeyedVectors\.load_word2vec_format"),
        (firth.Word2Vec.load, r"WordVectors\.load"),
    ):
        with pytest.raises(BadFile, match=f"by its first bytes it is word2vec-binary; open it with {opener}"):
            load(files / "v.bin")
        with gzip.open(files / "noise.gz", "wb") as file:
            file.write(bytes(range(256)))
        with pytest.raises(BadFile, match="truncated or not a safetensors file"):
            load(files / "noise.gz")

"""How text is cut: each built-in tokenizer is held to Python's own rule, and what users bring is checked."""

import lzma
import os
import re
import types
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firth.corpus import encoded_corpus
from firth.corpus.blocks import StringsBlock, TextBlock
from firth.corpus.lexicon import Lexicon
from firth.corpus.tokenizers import Whitespace, decoded, tokenizer_for
from firth.errors import BadCorpus, BadOption

SPACES = "".join(chr(code) for code in range(0x110000) if chr(code).isspace())
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SPACED = st.text(st.sampled_from(SPACES + "a\u200b\u180e\ufeff\u0084\u2030\u3001é漢😀") | st.characters(codec="utf-8"))


def tokens(tokenizer, block, errors="strict"):
    """The tokens of each sentence in a block, or in some strings."""
    if not isinstance(block, TextBlock):
        block = StringsBlock(pa.array([block] if isinstance(block, str) else block, pa.large_string()))
    lexicon = Lexicon()
    numbers, lengths = tokenizer_for(tokenizer).number(block, lexicon, errors)
    words = lexicon.words()[0].cast(pa.large_string()).to_pylist()
    each = iter(words[number] for number in numbers)
    return [[next(each) for _ in range(length)] for length in lengths]


def lines(data):
    return TextBlock(data, "a file", 0, line_goes_on=False)


# ---- whitespace --------------------------------------------------------------------------------


@settings(max_examples=400)
@given(st.lists(SPACED, min_size=1, max_size=4))
@example([f"a{SPACES}b{SPACES}"])
@example(["a".join(SPACES)])
def test_whitespace_cuts_as_pythons_split(texts):
    assert tokens("whitespace", texts) == [text.split() for text in texts]


@given(SPACED)
def test_whitespace_cuts_lines_as_pythons_split(text):
    cut = tokens("whitespace", lines(text.encode()))
    assert cut == [line.split() for line in text.split("\n")][: len(cut)]
    assert sum(cut, []) == text.split()  # noqa: RUF017  (short)


def test_a_slice_of_an_array_gives_its_own_tokens():
    strings = pa.array(["a b", "c d", "e f"], pa.large_string()).slice(1, 1)
    lexicon = Lexicon()
    Whitespace().number(StringsBlock(strings), lexicon, "strict")
    assert lexicon.words()[0].to_pylist() == [b"c", b"d"]
    assert tokens("whitespace", []) == []


# ---- letters -----------------------------------------------------------------------------------


@settings(max_examples=400)
@given(TEXT | st.text(st.sampled_from("abzAZ \n'İıKſßéÉ{`@[")))
@example("İSTANBUL 3 \N{KELVIN SIGN}elvin STRAßE aİb")
def test_letters_are_lowercased_runs_of_a_to_z(text):
    assert tokens("letters", text) == [re.findall("[a-z]+", text.lower())]


def test_only_two_letters_beyond_ascii_become_ascii_in_lower_case():
    found = [chr(c) for c in range(128, 0x110000) if any("a" <= letter <= "z" for letter in chr(c).lower())]
    assert found == ["İ", "\N{KELVIN SIGN}"]


# ---- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat's whiskers, don’t you?", "the cat's whiskers don’t you"),
        ("'quoted' 'words' and dogs' ''twice'' 'tis rock'n'roll", "quoted words and dogs twice tis rock'n'roll"),
        ("café-bar, naïve; x_y 3.5 (1984) ½", "café bar naïve x y 3 5 1984 ½"),
        ("Straße, GRÖẞE: Ärzte! Donau\u00addampf", "straße größe ärzte donaudampf"),
        ("Η ΟΔΟΣ της Αθήνας· ΕΛΛΑΣ, «Σοφός»", "η οδος της αθήνας ελλας σοφός"),
        ("İstanbul'da ılık ŞEKER", "istanbul'da ılık şeker"),
        ("العَرَبِيَّة، كتاب؟ \u200fمی\u200cخواهم\u200c", "العَرَبِيَّة كتاب می\u200cخواهم"),
        ("हिन्दी में पढ़ना। क्\u200dष श्री२", "हिन्दी में पढ़ना क्\u200dष श्री२"),
        ("র\u200d্যাব", "র\u200d্যাব"),
        ("I ❤️ NLP 1️⃣ 👩\u200d💻!", "i nlp 1️⃣"),
        ("Привет, мир! Ёлка", "привет мир ёлка"),
        ("한국어 문장입니다. Tiếng Việt", "한국어 문장입니다 tiếng việt"),
        (" \u0301' ’ — ", ""),
    ],
    ids=[
        *("apostrophes", "quotes", "symbols", "german", "greek", "turkish", "arabic", "hindi", "bengali", "emoji"),
        *("russian", "korean and vietnamese", "nothing"),
    ],
)
def test_words_are_what_readers_of_the_language_take_for_words(text, expected):
    assert tokens("words", text) == [expected.split(" ") if expected else []]


def words_by_rule(text):
    """The rule of `words`, spelled out character by character."""
    kinds = "".join(
        "z" if each in "\u200c\u200d" else "'" if each in "'’" else unicodedata.category(each)[0] for each in text
    )
    core = "[LN][LNMz]*"
    found = [text[match.start() : match.end()] for match in re.finditer(f"{core}(?:'{core})*", kinds)]
    return [word.rstrip("\u200c\u200d") for word in found]


@settings(max_examples=400)
@given(st.text(st.sampled_from("ab1é'’ \n-_.\u0301\u093f\u200c\u200d❤️漢ß٣")))
@example("a'\u0301b \u200da\u200d'b' 'c'd''e")
def test_words_keep_their_rule(text):
    assert tokens("words", text) == [words_by_rule(text)]


def test_words_take_no_other_letter_for_its_lower_case_than_python():
    # Python changes İ to two characters, and Σ by its place.
    letters = [chr(c) for c in range(0x3000) if unicodedata.category(chr(c)) in ("Lu", "Lt") and chr(c) not in "İ"]
    assert tokens("words", " ".join(f"{each}a" for each in letters)) == [[f"{each}a".lower() for each in letters]]


# ---- bytes that are not UTF-8 -------------------------------------------------------------------


@given(st.binary(max_size=20) | st.sampled_from([b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"a\xe2\x82"]))
def test_bytes_are_utf8_where_python_says_so(data):
    try:
        data.decode()
    except UnicodeDecodeError as error:
        with pytest.raises(BadCorpus, match=f"a file is not UTF-8: byte 0x{data[error.start]:02x} at position"):
            decoded(lines(data), "strict")
    else:
        assert decoded(lines(data), "strict") == data
    for errors in ("replace", "ignore"):
        assert decoded(lines(data), errors).decode() == data.decode("utf-8", errors)


# ---- callables ---------------------------------------------------------------------------------


def test_a_callable_gets_each_line_without_its_end():
    seen = []

    def cut(text):
        seen.append(text)
        return text.split(",")

    assert tokens(cut, lines(b"a b,c\r\n\nd,e")) == [["a b", "c"], [], ["d", "e"]]
    assert seen == ["a b,c", "", "d,e"]


def test_a_callable_may_give_any_iterable_and_empty_tokens_are_left_out():
    assert tokens(lambda text: (part for part in text.split(" ")), " a  b ") == [["a", "b"]]
    assert tokens(lambda _: [""], ["a", "b"]) == [[], []]
    assert tokens(re.compile(r"\w+").findall, ["a-b", ""]) == [["a", "b"], []]


def test_token_lists_pass_every_tokenizer_unchanged():
    sentences = [["New York", "A"], ["New York"]]
    for tokenizer in ("whitespace", "letters", "words", str.split):
        with encoded_corpus(sentences, tokenizer=tokenizer) as corpus:
            assert corpus.words.to_pylist() == ["New York", "A"]


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (str.lower, "a tokenizer must give a list of tokens, but gave the str 'a b' for the str 'A B'"),
        (lambda _: None, "but gave the NoneType None for"),
        (lambda _: {"input_ids": [1]}, "but gave the dict"),
        (lambda _: [1], "tokens must be strings, but what the tokenizer gave for the str 'A B' holds the int 1"),
        (lambda _: [None], "holds the NoneType None"),
        (lambda _: ["\ud800"], "holds .* lone surrogate"),
    ],
)
def test_what_a_callable_gives_is_checked(cut, message):
    with pytest.raises(BadCorpus, match=message):
        tokens(cut, "A B")


def test_errors_of_the_users_own_callable_pass_unchanged():
    with pytest.raises(ZeroDivisionError):
        tokens(lambda _: 1 / 0, "a")


def test_what_cannot_be_a_tokenizer_is_refused():
    with pytest.raises(BadOption, match="one of whitespace, letters, words, or a callable; got 'spaces'"):
        tokenizer_for("spaces")
    with pytest.raises(BadOption, match=r"a name, a callable .*; got int"):
        tokenizer_for(3)


def test_names_identify_tokenizers_and_callables_are_never_known_again():
    names = {tokenizer_for(name).identity() for name in ("whitespace", "letters", "words")}
    assert len(names) == 3
    assert None not in names
    assert tokenizer_for(str.split).identity() is None


# ---- Hugging Face ------------------------------------------------------------------------------


@pytest.fixture
def trained():
    """A small byte-level BPE tokenizer."""
    package = pytest.importorskip("tokenizers", reason="the package tokenizers is not installed")
    tokenizer = package.Tokenizer(package.models.BPE())
    tokenizer.pre_tokenizer = package.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = package.trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>"],
        initial_alphabet=package.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["the cat sat on the mat"] * 9, trainer)
    return tokenizer


def test_a_hugging_face_tokenizer_cuts_as_it_does_alone(trained):
    trained.post_processor = __import__("tokenizers").processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    texts = ["the cat sat", "", "größer"]
    expected = [trained.encode(text, add_special_tokens=False).tokens for text in texts]
    assert tokens(trained, texts) == expected
    assert tokens(trained, lines("\r\n".join(texts).encode())) == expected
    assert tokens(types.SimpleNamespace(backend_tokenizer=trained), texts) == expected


def test_a_hugging_face_tokenizer_is_known_by_its_configuration(trained):
    package = pytest.importorskip("tokenizers")
    same = package.Tokenizer.from_str(trained.to_str())
    assert tokenizer_for(trained).identity() == tokenizer_for(same).identity() is not None
    same.add_tokens(["Firth"])
    assert tokenizer_for(trained).identity() != tokenizer_for(same).identity()


def test_a_corpus_cut_by_a_hugging_face_tokenizer_is_kept(trained, cache, tmp_path):
    (tmp_path / "a.txt").write_text("the cat sat\n")
    kept = [encoded_corpus(tmp_path / "a.txt", tokenizer=trained).folder for _ in range(2)]
    assert kept[0] == kept[1]
    assert list(cache.iterdir()) == [kept[0]]


def test_a_hugging_face_tokenizer_with_parts_in_python_is_never_known_again(trained):
    package = pytest.importorskip("tokenizers")

    class Spaces:
        def pre_tokenize(self, text):
            text.split(lambda _, part: part.split(" ", "removed"))

    trained.pre_tokenizer = package.pre_tokenizers.PreTokenizer.custom(Spaces())
    assert tokenizer_for(trained).identity() is None


def test_a_hugging_face_tokenizer_that_truncates_or_pads_is_refused(trained):
    for change, undo in ((lambda: trained.enable_truncation(2), trained.no_truncation), (trained.enable_padding, None)):
        change()
        with pytest.raises(BadOption, match=r"truncates or pads, .*; call its no_truncation\(\) and no_padding\(\)"):
            tokenizer_for(trained)
        if undo:
            undo()


# ---- real text ---------------------------------------------------------------------------------

CORPORA = os.environ.get("FIRTH_CORPORA")
RAW = sorted((Path(CORPORA) / "raw").glob("*.txt.xz")) if CORPORA else []


@pytest.mark.skipif(not RAW, reason="FIRTH_CORPORA names no folder with raw/*.txt.xz")
@pytest.mark.parametrize("path", RAW, ids=lambda path: path.stem)
def test_real_text_is_cut_by_the_rules(path):
    with lzma.open(path) as file:
        some = file.read(1 << 20).rpartition(b"\n")[0].rstrip(b"\n")
    texts = some.decode().split("\n")
    assert tokens("whitespace", lines(some)) == [text.split() for text in texts]
    assert tokens("letters", lines(some)) == [re.findall("[a-z]+", text.lower()) for text in texts]
    soft = [text.replace("\u00ad", "") for text in texts]
    assert tokens("words", lines(some)) == [words_by_rule(text.replace("İ", "i").lower()) for text in soft]

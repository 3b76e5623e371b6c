"""Every option: its default, its range and its help, written once.

`Word2Vec`, the command line and the documentation all read these classes. A value out of range raises
`BadOption` with the value, the rule and the remedy as soon as the options are made.
"""

from __future__ import annotations

import difflib
import inspect
import math
import operator
import os
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, wraps
from typing import Any, ClassVar, Concatenate, Literal, ParamSpec, Self, get_origin, get_type_hints

from firth.errors import BadOption

P = ParamSpec("P")

USUAL_RATE = 0.05
CORRECTED_RATE = 0.15  # a context gets but a share of the gradient
CORRECTED_RATE_OF_PROBABILITIES = 0.1  # hierarchical and full softmax
WIDEST_WINDOW = 10_000  # words to each side; kernels note places of 1,024 + 2 · this many words in 15 bits
TOKENS_A_WORKER = 100_000  # of text, below which threads that race learn less than one
WIDEST_BY_PAIR = 1_000  # where each pair has its own noise: draws are numbered for 2,048 contexts of a word

# What gensim and fastText call them.
OTHER_NAMES = {
    "size": "vector_size",
    "dim": "vector_size",
    "sg": "architecture",
    "model": "architecture",
    "hs": "loss",
    "iter": "epochs",
    "epoch": "epochs",
    "lr": "alpha",
    "ws": "window",
    "neg": "negative",
    "minCount": "min_count",
    "minn": "min_n",
    "maxn": "max_n",
    "buckets": "bucket",
    "thread": "workers",
    "threads": "workers",
    "t": "sample",
    "shrink_windows": "dynamic_window",
    "max_final_vocab": "max_vocabulary",
    "max_vocab_size": "max_vocabulary",
    "common_terms": "connector_words",
    "sep": "delimiter",
    "number_walks": "num_walks",
    "walks_per_node": "num_walks",
    "number": "num_walks",
    "length": "walk_length",
    "M": "connectivity",
    "efConstruction": "expansion_add",
    "ef_construction": "expansion_add",
    "efSearch": "expansion_search",
    "ef": "expansion_search",
}

# What they take with the options, and where it belongs here.
NO_OPTIONS = {
    **dict.fromkeys(("sentences", "corpus_file", "corpus", "input"), "a corpus is given to fit"),
    "callbacks": "callbacks are given to fit, beside the corpus",
    "tokenizer": "a tokenizer is given to fit, beside the corpus",
    "column": "the column is given to fit, beside the corpus",
    "encoding": "text is read as UTF-8, to which other files are converted first, as by iconv",
    "trim_rule": "the words to keep are given to fit, as vocabulary",
    "verbose": "fit takes progress=True or False",
    "compute_loss": "losses are always measured, leave it out",
    "cbow_mean": "contexts are averaged, leave it out",
    **dict.fromkeys(
        ("hashfxn", "sorted_vocab", "batch_words", "lrUpdateRate"), "nothing here depends on it, leave it out"
    ),
    "wordNgrams": "for words that belong together, see Phrases; leave it out",
    "word_ngrams": "subwords=True trains n-grams of characters; leave it out",
    "output": "the model's method save takes a name",
}
CLOSE = 0.7  # how alike a misspelt name and an option must be, of 1

Combine = Literal["input", "output", "average", "sum", "concatenate"]
COMBINE_HELP = (
    "which vectors of a model. After skipgram: input for similarity, concatenate (both matrices, twice as wide) for "
    "analogies. After cbow: average. After hs: input alone"
)


def option(
    default: Any,
    help: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    choices: tuple[str, ...] | None = None,
    also: tuple[str, ...] = (),
    remedy: str = "",
) -> Any:
    """Declare one field: its default, its help, and the rule that a value must keep.

    `also` are words that may stand in the place of a number.
    """
    rule = {"help": help, "at_least": at_least, "at_most": at_most, "choices": choices, "also": also}
    return field(default=default, metadata=rule | {"remedy": remedy})


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """Checks each field against the rule it was declared with."""

    def __post_init__(self) -> None:
        kind: Any = type(self)
        hints = _hints(kind)
        for each in fields(self):
            checked = _check(each.name, getattr(self, each.name), hints[each.name], each.metadata)
            object.__setattr__(self, each.name, checked)

    def as_dict(self) -> dict[str, Any]:
        """The options as plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Options from plain values; names that this version does not know raise `BadOption`."""
        known = {each.name for each in fields(cls)}
        for name in values:
            if name not in known:
                raise BadOption(
                    f"unknown option {name!r}{_meant(name, known)}; the options are: {', '.join(sorted(known))}"
                )
        return cls(**values)


def _meant(name: str, known: set[str]) -> str:
    """What an unknown option may be, as the end of a clause: another library's, or one misspelt; else nothing."""
    if OTHER_NAMES.get(name) in known:
        return f", here called {OTHER_NAMES[name]}"
    if name in NO_OPTIONS:
        return f": {NO_OPTIONS[name]}"
    if name in TrainingOptions.__dataclass_fields__:
        return f": it is given to Word2Vec({name}=...)"
    close = difflib.get_close_matches(name.lower(), known, 1, CLOSE)
    return f", close to {close[0]}" if close else ""


@cache
def _hints(options: type[Any]) -> dict[str, Any]:
    """The types that an options class declares: finding them takes longer than judging by a small set."""
    return get_type_hints(options)


def _check(name: str, value: Any, hint: Any, rule: Mapping[str, Any]) -> Any:
    """`value` in its declared type, or `BadOption`."""
    remedy = f"; {rule['remedy']}" if rule["remedy"] else ""
    accepted = {part for part in (int, float, str, bool) if part is hint or part in getattr(hint, "__args__", ())}
    if value is None and type(None) in getattr(hint, "__args__", ()):
        return value
    if isinstance(value, str) and rule["also"]:
        if value not in rule["also"]:
            raise BadOption(f"{name} must be a whole number or {' or '.join(rule['also'])}, got {value!r}{remedy}")
        return value
    if rule["choices"]:
        if value not in rule["choices"]:
            raise BadOption(f"{name} must be one of {', '.join(rule['choices'])}; got {value!r}{remedy}")
        return value
    if bool in accepted:
        if not isinstance(value, bool):
            raise BadOption(f"{name} must be True or False, got {value!r}{remedy}")
        return value
    if get_origin(hint) is tuple:
        return _checked_words(name, value, remedy)
    if str in accepted:
        if not isinstance(value, str):
            raise BadOption(f"{name} must be a string, got {value!r}{remedy}")
        _check_text(name, value, remedy)
        return value
    value = _whole(name, value, remedy) if accepted == {int} else _real(name, value, remedy)
    low, high = rule["at_least"], rule["at_most"]
    if not math.isfinite(value):
        raise BadOption(f"{name} must be a finite number, got {value!r}{remedy}")
    if low is not None and value < low:
        raise BadOption(f"{name} must be {low} or more, got {value}{remedy}")
    if high is not None and value > high:
        raise BadOption(f"{name} must be {high} or less, got {value}{remedy}")
    return value


def _whole(name: str, value: Any, remedy: str = "") -> int:
    """A whole number of Python, NumPy or PyTorch as Python's; True and False are none."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise BadOption(f"{name} must be a whole number, got {value!r}{remedy}")


def _real(name: str, value: Any, remedy: str) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise BadOption(f"{name} must be a number, got {value!r}{remedy}")
    try:
        return float(value)
    except TypeError as error:
        raise BadOption(f"{name} must be one number, got {value!r}{remedy}") from error


def whole(name: str, value: Any, *, at_least: int, at_most: int | None = None) -> int:
    """The whole number given for `name`, which need not be an option, or `BadOption`."""
    range = f"{at_least} or more" if at_most is None else f"from {at_least} to {at_most}"
    rule = f"{name} must be a whole number, {range}, got {value!r}"
    try:
        number = _whole(name, value)
    except BadOption as error:
        raise BadOption(rule) from error
    if number < at_least or (at_most is not None and number > at_most):
        raise BadOption(rule)
    return number


def _check_text(name: str, value: str, remedy: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadOption(f"{name} must be text that UTF-8 can hold, got {value!r}{remedy}") from error


def _checked_words(name: str, value: Any, remedy: str) -> tuple[str, ...]:
    """`value` as words, each once, in the order of their letters."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise BadOption(f"{name} must be a list of words, got {value!r}{remedy}")
    words = list(value)
    for word in words:
        if not isinstance(word, str) or not word:
            raise BadOption(f"{name} must hold words, strings that are not empty, got {word!r}{remedy}")
        _check_text(name, word, remedy)
    return tuple(sorted(set(words)))


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(_Checked):
    """What is trained and how. The names are those of gensim 4 and fastText."""

    architecture: Literal["skipgram", "cbow"] = option(
        "skipgram",
        "skipgram predicts the words around each word (better for rare words); "
        "cbow predicts each word from those around it (faster)",
        choices=("skipgram", "cbow"),
    )
    loss: Literal["ns", "hs", "softmax"] = option(
        "ns",
        "ns: negative sampling; hs: hierarchical softmax, probabilities from a Huffman tree; "
        "softmax: full softmax, for vocabularies up to some 50,000 words",
        choices=("ns", "hs", "softmax"),
    )
    vector_size: int = option(100, "numbers in a vector", at_least=1, at_most=4096)
    window: int | Literal["all"] = option(
        5,
        "how many words to each side count as context; all: every other word of the sentence, however far, as in "
        "baskets and other sessions whose order says nothing",
        at_least=1,
        at_most=WIDEST_WINDOW,
        also=("all",),
        remedy="for every word of the sentence, take all",
    )
    dynamic_window: bool = option(
        True,
        "draw each window's reach between 1 and `window`, so that near words count more; window all is always whole",
    )
    min_count: int = option(
        5, "leave out words that occur less often than this", at_least=1, remedy="use 1 to keep every word"
    )
    max_vocabulary: int | None = option(None, "keep at most so many words, the most frequent", at_least=1)
    negative: int = option(
        5,
        "noise words drawn for each window; 5 to 20 for small corpora, 2 to 5 for large",
        at_least=1,
        at_most=64,
    )
    noise: Literal["window", "pair"] = option(
        "window",
        "window: draw the noise words once for each window (faster); pair: anew for each pair of centre and context, "
        "as word2vec.c does (cbow has one example a window: there both are the same)",
        choices=("window", "pair"),
    )
    distinct_noise: bool = option(
        False, "draw again until a noise word is neither the centre nor a context, nor drawn before in its window"
    )
    ns_exponent: float = option(
        0.75,
        "noise words are drawn by count to this power: 1 as often as they occur, 0 all alike, below 0 rare ones first",
        at_least=-2,
        at_most=2,
    )
    subwords: bool = option(
        False,
        "train vectors of n-grams of characters, too, as fastText does: a word's vector is the mean of its own and its "
        "n-grams', and words never seen have one (loss ns, on the CPU)",
    )
    min_n: int = option(
        3,
        "characters of the shortest n-grams, the ends of a word counting",
        at_least=1,
        at_most=64,
        remedy="3 is usual, and subwords=False trains no n-grams",
    )
    max_n: int = option(
        6,
        "characters of the longest n-grams",
        at_least=1,
        at_most=64,
        remedy="6 is usual, and subwords=False trains no n-grams",
    )
    bucket: int = option(
        2_000_000,
        "n-grams are hashed into so many buckets, and share a vector with those of the same; only buckets that the "
        "vocabulary falls into take memory",
        at_least=1,
        at_most=2**26,
        remedy="2,000,000 are usual, and subwords=False trains no n-grams",
    )
    cbow_gradient: Literal["historical", "corrected"] = option(
        "corrected",
        "corrected: cbow gives each context its share of the gradient of their mean, as the chain rule says (better "
        "vectors, and sound however wide the window); historical: the whole to each, as word2vec.c and gensim do, "
        "whose rates it takes",
        choices=("corrected", "historical"),
    )
    sample: float = option(
        1e-3,
        "drop frequent words at random: those with a larger share of the text than this; 0 keeps all",
        at_least=0,
        at_most=1,
    )
    epochs: int = option(5, "passes over the corpus", at_least=1)
    alpha: float | None = option(
        None,
        "learning rate at the start; if not given 0.05, for cbow's corrected gradient 0.15, or 0.1 with hs or softmax "
        "(for skipgram over more than some 8 epochs, or for rare words, take 0.025)",
        at_least=0,
        at_most=1,
        remedy="rates between 0.01 and 0.2 are usual",
    )
    min_alpha: float = option(1e-4, "learning rate at the end, reached in a straight line", at_least=0, at_most=1)
    seed: int = option(1, "all that is random follows from this number", at_least=0, at_most=2**63 - 1)
    workers: int | None = option(
        None,
        "threads; all cores if not given, but no more than one for 100,000 tokens, as threads that share little text "
        "learn less from it. One worker gives the same bytes at every run",
        at_least=1,
        at_most=1024,
    )
    unknown: str | None = option(
        None, "train this word, such as <unk>, in place of all that min_count and max_vocabulary cut away"
    )
    backend: Literal["cpu", "reference"] = option(
        "cpu",
        "cpu: compiled kernels; reference: the plain NumPy that they are held to, thousands of times slower",
        choices=("cpu", "reference"),
    )
    device: Literal["cpu", "cuda", "auto"] = option(
        "cpu",
        "cpu; cuda: an NVIDIA GPU (losses ns and hs, noise by window); auto: the GPU if there is one that can train "
        "this, and says which. Not yet run on a GPU",
        choices=("cpu", "cuda", "auto"),
    )
    gpu_dtype: Literal["float32", "bfloat16"] = option(
        "float32",
        "what the GPU keeps the matrices in; bfloat16 takes half the memory, steps being rounded by chance, and needs "
        "a GPU of compute capability 9.0 or more. Computing and saved vectors are float32 with either",
        choices=("float32", "bfloat16"),
    )
    held_out: float = option(
        0.0,
        "share of the sentences that is not trained on but used to measure the loss",
        at_least=0,
        at_most=0.5,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise == "pair" and self.architecture == "skipgram" and self.reach > WIDEST_BY_PAIR:
            raise BadOption(
                f"window must be {WIDEST_BY_PAIR} or less with noise 'pair', got {self.window}; take noise='window'"
            )
        self._check_subwords()
        if self.unknown == "":
            raise BadOption("unknown must be a word, got ''; <unk> is usual, None leaves unknown words out")
        if self.backend == "reference" and self.device == "cuda":
            raise BadOption("the reference trains on the CPU, got device 'cuda'; take backend='cpu', or device='cpu'")
        if self.gpu_dtype != "float32" and self.device == "cpu":
            raise BadOption(
                f"gpu_dtype must be 'float32' with device 'cpu', got {self.gpu_dtype!r}; take device='cuda', or "
                "gpu_dtype='float32'"
            )
        if self.min_alpha > self.rate:
            raise BadOption(
                f"min_alpha must not exceed alpha, got min_alpha {self.min_alpha} and alpha {self.rate}; "
                "lower min_alpha or raise alpha"
            )

    def _check_subwords(self) -> None:
        """Raise `BadOption` for what is not trained with n-grams, or n-grams that there are none of."""
        if self.min_n > self.max_n:
            raise BadOption(
                f"min_n must not exceed max_n, got min_n {self.min_n} and max_n {self.max_n}; 3 and 6 are usual"
            )
        if not self.subwords:
            return
        if self.loss != "ns":
            raise BadOption(f"subwords are trained with loss 'ns', got {self.loss!r}; take that, or subwords=False")
        if self.noise == "pair" and self.architecture == "skipgram":
            raise BadOption("subwords are trained with noise 'window', got 'pair'; take that, or subwords=False")
        if self.distinct_noise:
            raise BadOption("subwords are trained without distinct_noise, got True; leave it out, or subwords=False")

    @property
    def reach(self) -> int:
        """How many words to each side a window holds at most."""
        return WIDEST_WINDOW if self.window == "all" else self.window

    @property
    def reach_is_drawn(self) -> bool:
        """Whether windows differ in how far they reach."""
        return self.dynamic_window and self.window != "all"

    @property
    def rate(self) -> float:
        """The learning rate at the start: `alpha`, or what was measured to suit (docs/benchmarks.md)."""
        if self.alpha is not None:
            return self.alpha
        if self.architecture == "skipgram" or self.cbow_gradient == "historical":
            return USUAL_RATE
        return CORRECTED_RATE if self.loss == "ns" else CORRECTED_RATE_OF_PROBABILITIES

    @property
    def without_effect(self) -> tuple[str, ...]:
        """Which options that are not as by default change nothing here, a sentence for each reason."""
        found = []
        if self.loss != "ns" and (idle := self._changed("negative", "noise", "distinct_noise", "ns_exponent")):
            found.append(_without_effect(f"loss {self.loss!r} draws no noise words", idle, "use loss='ns'"))
        if not self.subwords and (idle := self._changed("min_n", "max_n", "bucket")):
            found.append(_without_effect("no n-grams of characters are trained", idle, "use subwords=True"))
        return tuple(found)

    def _changed(self, *names: str) -> list[str]:
        """Those of some options that are not as by default."""
        return [name for name in names if getattr(self, name) != self.__dataclass_fields__[name].default]

    @property
    def threads(self) -> int:
        """How many threads train: `workers`, or every core that this process may use."""
        return self.workers or usable_cores()

    def for_corpus(self, tokens: int) -> Self:
        """The same with a number of workers: what was asked for, or what suits a corpus of so many tokens.

        Full softmax learns the same with any number of threads; other losses race (docs/howto/options.md).
        """
        most = usable_cores() if self.loss == "softmax" else max(1, tokens // TOKENS_A_WORKER)
        return replace(self, workers=self.workers or min(usable_cores(), most))


def _without_effect(why: str, names: Sequence[str], otherwise: str) -> str:
    these, them = ("this option changes", "it") if len(names) == 1 else ("these options change", "them")
    return f"{why}, so {these} nothing: {', '.join(names)}; leave {them} out, or {otherwise}"


@dataclass(frozen=True, kw_only=True)
class CorpusOptions(_Checked):
    """How text becomes tokens."""

    tokenizer: Literal["whitespace", "letters", "words"] = option(
        "whitespace",
        "whitespace: split at white space, as it stands; letters: lower-cased runs of a to z; "
        "words: lower-cased runs of letters and digits of any script",
        choices=("whitespace", "letters", "words"),
    )
    encoding_errors: Literal["strict", "replace", "ignore"] = option(
        "strict",
        "bytes that are not UTF-8: strict stops and says where, replace puts U+FFFD, ignore leaves them out",
        choices=("strict", "replace", "ignore"),
    )
    column: str | None = option(
        None,
        "the column of CSV, TSV, JSON lines, Parquet and Arrow files (.csv, .tsv, .jsonl, .parquet, .arrow) that holds "
        "texts or lists of tokens",
    )
    cache: bool = option(True, "keep the encoded corpus, so that the next run starts at once")


@dataclass(frozen=True, kw_only=True)
class PhraseOptions(_Checked):
    """Which words are joined into phrases. The names are those of gensim 4."""

    min_count: int = option(
        5,
        "leave out phrases that occur less often than this; the score count takes it off their counts besides",
        at_least=1,
    )
    threshold: float = option(
        10.0,
        "join words whose score is above this: higher gives fewer phrases. count: 10 is usual, from 0 on; "
        "npmi: 0.5 is usual, from -1 to 1",
    )
    scoring: Literal["count", "npmi"] = option(
        "count",
        "count: how often words stand together, less min_count, over how often each occurs, as in word2phrase and "
        "gensim; npmi: normalised pointwise mutual information, kinder to frequent words",
        choices=("count", "npmi"),
    )
    delimiter: str = option("_", "what joins the words of a phrase", remedy="_ is usual")
    connector_words: tuple[str, ...] = option(
        (),
        "words that may stand within a phrase, but neither begin nor end it (bank of america)",
        remedy='give a list such as ["of", "the"]',
    )
    passes: int = option(
        1,
        "find phrases, join them, and find again, so often; with 2, phrases have up to four words",
        at_least=1,
        at_most=8,
    )
    max_memory: int = option(
        1024,
        "MB for counting pairs of words; a text with more pairs than fit is gone through several times, with the same "
        "result",
        at_least=1,
    )
    workers: int | None = option(None, "threads; all cores if not given", at_least=1, at_most=1024)

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high, usual = (0, math.inf, 10) if self.scoring == "count" else (-1, 1, 0.5)
        if not low <= self.threshold <= high:
            rule = "0 or more" if self.scoring == "count" else "between -1 and 1"
            raise BadOption(
                f"threshold must be {rule} with scoring {self.scoring}, got {self.threshold}; {usual} is usual"
            )
        if not self.delimiter or any(letter.isspace() for letter in self.delimiter):
            raise BadOption(
                f"delimiter must be a string without white space, and not empty, got {self.delimiter!r}; _ is usual"
            )

    @property
    def threads(self) -> int:
        """How many threads count: `workers`, or every core that this process may use."""
        return self.workers or usable_cores()


@dataclass(frozen=True, kw_only=True)
class GraphOptions(_Checked):
    """How a file of edges becomes a graph."""

    directed: bool = option(False, "an edge leads from the first node to the second, and not back")
    weighted: bool = option(
        True, "take a third column for weights; without, only the first two columns are read, and an edge counts once"
    )
    delimiter: Literal["auto", "space", "comma", "semicolon", "tab"] = option(
        "auto",
        "what stands between columns. space: any white space; comma, semicolon, tab: names may hold spaces; auto: "
        "comma if the first edge has one, else space",
        choices=("auto", "space", "comma", "semicolon", "tab"),
    )
    header: bool = option(False, "the first line names the columns, as in most CSV files, and is no edge")


@dataclass(frozen=True, kw_only=True)
class WalkOptions(_Checked):
    """How random walks go over a graph. The names are node2vec's, the defaults its authors'."""

    num_walks: int = option(10, "walks that start at each node", at_least=1, at_most=1_000_000)
    walk_length: int = option(
        80, "nodes in a walk; one that reaches a node without ways out ends there", at_least=1, at_most=1_000_000
    )
    p: float = option(
        1.0,
        "node2vec's return parameter: above 1, a walk seldom turns back to where it just was; below 1, often",
        at_least=1e-6,
        at_most=1e6,
        remedy="0.25 to 4 are usual",
    )
    q: float = option(
        1.0,
        "node2vec's in-out parameter: above 1, a walk stays near where it just was; below 1, it goes away. With p = q "
        "= 1 walks are DeepWalk's",
        at_least=1e-6,
        at_most=1e6,
        remedy="0.25 to 4 are usual",
    )
    seed: int = option(1, "all that is random follows from this number", at_least=0, at_most=2**63 - 1)
    workers: int | None = option(
        None, "threads; all cores if not given. Any number gives the same walks", at_least=1, at_most=1024
    )

    @property
    def threads(self) -> int:
        """How many threads walk: `workers`, or every core that this process may use."""
        return self.workers or usable_cores()


@dataclass(frozen=True, kw_only=True)
class TransformOptions(_Checked):
    """What is done to all vectors, in this order."""

    centre: bool = option(False, "take the mean of all vectors off each")
    remove_components: int = option(
        0,
        "take so many of the strongest directions out of all vectors; with centre that is all-but-the-top "
        "(Mu & Viswanath 2018), who take vector_size / 100",
        at_least=0,
    )
    unit: bool = option(False, "bring each vector to length 1; zero stays zero")


@dataclass(frozen=True, kw_only=True)
class RetrofitOptions(_Checked):
    """How far vectors are drawn to those of their neighbours in a lexicon. The defaults are the authors'."""

    iterations: int = option(10, "how often all words of the lexicon are gone through", at_least=1)
    alpha: float = option(1.0, "how much a word keeps to its own vector", at_least=0, at_most=1e6)
    beta: float = option(1.0, "how much all its neighbours together draw it to theirs", at_least=0, at_most=1e6)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.alpha == self.beta == 0:
            raise BadOption("alpha and beta must not both be 0, or a word has no place to be; 1 and 1 are usual")


@dataclass(frozen=True, kw_only=True)
class DocumentOptions(_Checked):
    """How the vectors of a document's words become one."""

    weighting: Literal["mean", "tfidf", "sif"] = option(
        "mean",
        "mean: every known word alike; tfidf: by inverse document frequency; sif: a / (a + p(word)), then the common "
        "components are taken out (Arora et al. 2017)",
        choices=("mean", "tfidf", "sif"),
    )
    sif_a: float = option(1e-3, "a of sif: the smaller, the less do frequent words count; 1e-4 to 1e-3 is usual")
    sif_components: int = option(1, "how many common components sif takes out", at_least=0)
    norm: Literal["l2"] | None = option(
        None, "l2: bring each document's vector to length 1; None: leave it", choices=("l2",)
    )
    empty: Literal["warn", "zeros", "error"] = option(
        "warn",
        "documents without a known word: warn gives rows of zeros and one warning, zeros gives them in silence, error "
        "stops",
        choices=("warn", "zeros", "error"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sif_a <= 0:
            raise BadOption(f"sif_a must be above 0, got {self.sif_a}; 1e-3 is usual")


@dataclass(frozen=True, kw_only=True)
class JudgingOptions(_Checked):
    """What all judging takes: what is drawn, and how many threads work."""

    # The options that say how things are counted: what a report tells where they are other than usual.
    counting: ClassVar[tuple[str, ...]] = ()

    resamples: int = option(
        1000,
        "resamples of the bootstrap that intervals come from; 0 leaves intervals out",
        at_least=0,
        at_most=100_000,
    )
    seed: int = option(1, "resamples and permutations follow from this number", at_least=0, at_most=2**63 - 1)
    threads: int | None = option(
        None,
        "use no more threads than this; all cores if not given",
        at_least=1,
        remedy="leave it out to use every core",
    )

    @property
    def cores(self) -> int:
        """How many threads work: `threads`, or every core that this process may use."""
        return self.threads or usable_cores()


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions(JudgingOptions):
    """How vectors are judged: which words count as known, what is drawn, how sets are read."""

    counting: ClassVar[tuple[str, ...]] = ("restrict", "case", "unknown", "common")

    restrict: int | None = option(
        None,
        "know only so many of the most frequent words, in questions and in answers; all if not given (gensim: 300000, "
        "word2vec.c: 30000)",
        at_least=1,
        remedy="leave it out to use every word",
    )
    case: Literal["lower", "exact", "fold"] = option(
        "lower",
        "lower: words are tried as they are written, then in lower case; exact: only as they are written; fold: words "
        "that differ in case alone are one, the most frequent of them, as in gensim",
        choices=("lower", "exact", "fold"),
    )
    unknown: Literal["skip", "wrong"] = option(
        "skip",
        "what needs a word without a vector: skip leaves it out of the score; wrong counts it as a wrong answer, or as "
        "a cosine of 0 (gensim's dummy4unknown)",
        choices=("skip", "wrong"),
    )
    common: bool = option(
        False, "compare models on the words that all of them have: the others are no answers and count as unknown"
    )
    neighbours: int | None = option(
        None,
        "tell how far several models agree on so many nearest neighbours of a word (models of other seeds: how stable "
        "they are)",
        at_least=1,
    )
    kind: Literal["similarity", "analogies", "categories", "outliers", "association"] | None = option(
        None,
        "what the sets are, where their files do not tell",
        choices=("similarity", "analogies", "categories", "outliers", "association"),
    )
    encoding: str = option("utf-8", "the encoding of the sets, by the name that Python has for it", remedy="utf-8")

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            "".encode(self.encoding)
        except (LookupError, ValueError) as error:  # ValueError: a null byte, or no encoding at all
            raise BadOption(
                f"encoding must be one that Python knows, got {self.encoding!r}; utf-8, latin-1 and utf-16 are usual"
            ) from error


@dataclass(frozen=True, kw_only=True)
class NextItemOptions(JudgingOptions):
    """How next items are predicted, and what counts as a hit."""

    counting: ClassVar[tuple[str, ...]] = ("k", "positions", "history", "scores", "exclude_seen", "together")

    k: int = option(10, "an item is hit if it is among the first so many", at_least=1)
    positions: Literal["last", "all"] = option(
        "last",
        "last: predict the last item of each session from those before it; all: every item but the first, for sessions "
        "none of which was trained on",
        choices=("last", "all"),
    )
    history: int | Literal["all"] = option(
        5,
        "predict from the last so many items before it; all: from all of them",
        at_least=1,
        also=("all",),
        remedy="for all that came before, take all",
    )
    scores: Literal["predict", "similar"] = option(
        "predict",
        "predict: by the items' output vectors, given the mean of the input vectors, as the model was trained; "
        "similar: by cosines of input vectors, which find what could stand in an item's place",
        choices=("predict", "similar"),
    )
    exclude_seen: bool = option(True, "what the session holds already is no answer")
    together: int | Literal["all"] = option(
        "all",
        "the baseline of co-occurrence counts items as together that stand so near in a session; all: anywhere in it",
        at_least=1,
        also=("all",),
        remedy="for anywhere in a session, take all",
    )


@dataclass(frozen=True, kw_only=True)
class MapOptions(_Checked):
    """How vectors are brought to two dimensions."""

    method: Literal["pca", "tsne", "umap"] = option(
        "pca",
        "pca: principal components, which keep lines straight and tell their share of the variance; tsne, umap: near "
        "words stay near, while how far groups lie apart, and how large they are, tells little; umap is the quicker "
        "one from some thousand words on",
        choices=("pca", "tsne", "umap"),
    )
    perplexity: float | None = option(
        None,
        "tsne: about how many neighbours of a word count; if not given 30, or a third of the words where these are few",
        at_least=0.1,
        remedy="5 to 50 are usual",
    )
    n_neighbors: int | None = option(
        None, "umap: how many neighbours of a word count; 30 if not given", at_least=2, remedy="5 to 50 are usual"
    )
    seed: int = option(
        1, "tsne, umap: the same seed gives the same map again, another one another", at_least=0, at_most=2**32 - 1
    )


@dataclass(frozen=True, kw_only=True)
class IndexOptions(_Checked):
    """How an index for approximate search is built: a graph (HNSW), by one of several libraries.

    The names are usearch's. hnswlib calls them M, ef_construction and ef, faiss M, efConstruction and efSearch.
    """

    kind: Literal["usearch", "faiss", "hnswlib"] = option(
        "usearch",
        "the library: usearch keeps float16 and searches its file where it lies; faiss keeps float32 and does so, too; "
        "hnswlib keeps float32, and reads its file into memory",
        choices=("usearch", "faiss", "hnswlib"),
    )
    connectivity: int = option(
        16, "links of each vector; more find more, in more memory and time", at_least=2, at_most=512
    )
    expansion_add: int = option(
        128, "vectors weighed for the links of a new one; more find more, and build slower", at_least=1, at_most=100_000
    )
    expansion_search: int = option(
        64, "vectors weighed in a search; more find more, and answer slower", at_least=1, at_most=100_000
    )


def takes_options(options: Callable[P, object]) -> Callable[[Callable[..., None]], Callable[Concatenate[Any, P], None]]:
    """Give a constructor the signature of an options class, for type checkers and for `help`.

    It raises `TypeError` for what is given without a name.
    """

    def wrap(constructor: Callable[..., None]) -> Callable[Concatenate[Any, P], None]:
        @wraps(constructor)
        def by_name(self: Any, /, *given: Any, **values: Any) -> None:
            if given:
                name = type(self).__name__
                raise TypeError(
                    f"{name} takes options, all by name, got {reprlib.repr(given[0])} without one; "
                    f"a corpus is given to fit: {name}(...).fit(corpus)"
                )
            constructor(self, **values)

        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = inspect.signature(options).parameters.values()
        by_name.__signature__ = inspect.Signature([own, *parameters])  # type: ignore[attr-defined]
        return by_name

    return wrap


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

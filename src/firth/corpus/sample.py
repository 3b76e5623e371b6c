"""A part of a corpus, read to tell what the whole is like: small corpora whole, large ones at places all over them."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from firth.corpus.blocks import Block, TextBlock
from firth.corpus.encoded import WORDS_FILE, EncodedCorpus
from firth.corpus.encoding import EMPTY, encode
from firth.corpus.files import UNPACKERS, Source, TextFile, cut_into_blocks, readable
from firth.corpus.json_lines import JsonLinesFile
from firth.corpus.separated import SeparatedFile
from firth.corpus.sources import STANDARD_INPUT
from firth.corpus.store import asked_for
from firth.errors import BadCorpus, FirthError
from firth.memory import peak_memory_bytes
from firth.options import CorpusOptions

SAMPLE_BYTES = 128 << 20  # of text as stored; a corpus of no more is read whole
PLACES = 61  # a prime, so that text which repeats itself is not met at the same places
IN_PARTS = (TextFile, SeparatedFile, JsonLinesFile)
FIRST_BLOCKS = 8  # read before, to see what reading costs with few words


@dataclass(frozen=True)
class Sampled:
    """What reading a sample cost.

    share: the part of the text that was read, 1 for the whole. seconds: to read it. peak_bytes: what the process held
    at most; first_peak_bytes, first_words: the same, and how many different words, when less was read.
    """

    share: float
    seconds: float
    peak_bytes: int
    first_peak_bytes: int
    first_words: int

    def peak_bytes_with(self, words: int, sampled: int) -> int:
        """What reading holds at most with so many different words, of which `sampled` were in the sample."""
        if words <= sampled or sampled <= self.first_words:
            return self.peak_bytes
        each = (self.peak_bytes - self.first_peak_bytes) / (sampled - self.first_words)
        return round(self.peak_bytes + each * (words - sampled))


WHOLE = Sampled(share=1.0, seconds=0.0, peak_bytes=0, first_peak_bytes=0, first_words=0)  # what is encoded already


def read_sample(corpus: str | list[Path], options: CorpusOptions, folder: Path, threads: int) -> Sampled:
    """Encode a sample of `corpus` into `folder`, and tell what it cost; meant for a process of its own.

    Raises what reading the corpus raises.
    """
    sources, cut, _ = asked_for(corpus, options)
    first, whole = folder / "first", folder / "whole"
    first.mkdir()
    whole.mkdir()
    first_words = 0
    with _unless_empty():
        beginning = _Beginning(sources, FIRST_BLOCKS)
        encode([beginning], cut, first, threads=threads, encoding_errors=options.encoding_errors)
        first_words = len(EncodedCorpus(first).words)
    first_peak = peak_memory_bytes() or 0
    began = time.perf_counter()
    parts = sample_sources(sources)
    with _unless_empty() if parts else contextlib.nullcontext():
        encode(parts or sources, cut, whole, threads=threads, encoding_errors=options.encoding_errors)
    if parts and not (whole / WORDS_FILE).exists():  # no place showed where a word ends, or all were blank
        began, parts = time.perf_counter(), list(_from_the_beginning(sources))
        encode(parts, cut, whole, threads=threads, encoding_errors=options.encoding_errors)
    seconds = time.perf_counter() - began
    total = sum(source.size or 0 for source in sources)
    share = min(1.0, sum(part.done for part in parts) / total) if parts else 1.0
    return Sampled(share, seconds, peak_memory_bytes() or 0, first_peak, first_words)


@contextlib.contextmanager
def _unless_empty() -> Iterator[None]:
    """Go on where what was encoded holds no token: there is more of the corpus."""
    try:
        yield
    except BadCorpus as error:
        if str(error) != EMPTY:
            raise


def sample_sources(sources: Sequence[Source]) -> list[Source]:
    """Parts of large files of text, spread evenly over all; none where all is to be read."""
    total = sum(source.size or 0 for source in sources)
    if total <= SAMPLE_BYTES or not all(isinstance(each, IN_PARTS) and each.size is not None for each in sources):
        return []
    places: dict[int, list[int]] = {}
    begins, index = 0, 0
    for number in range(PLACES):
        at = number * total // PLACES
        while at >= begins + (sources[index].size or 0):
            begins += sources[index].size or 0
            index += 1
        places.setdefault(index, []).append(at - begins)
    each = SAMPLE_BYTES // PLACES
    return [part for index, starts in places.items() for part in _parts(sources[index], starts, each)]


def _parts(source: Source, starts: Sequence[int], length: int) -> list[Source]:
    assert isinstance(source, IN_PARTS)
    packed = Path(source.path).suffix.lower() in UNPACKERS
    if packed or not isinstance(source, TextFile):  # cannot be entered but at its beginning
        return [_UpTo(source, length * len(starts))]
    return [_Place(source.path, start, length) for start in starts]


def _from_the_beginning(sources: Sequence[Source]) -> Iterator[Source]:
    """The first sources, SAMPLE_BYTES of them."""
    left = SAMPLE_BYTES
    for source in sources:
        if left <= 0:
            return
        yield _UpTo(source, left)
        left -= source.size or 0


@dataclass
class _Beginning(Source):
    """The first blocks of all sources."""

    sources: Sequence[Source]
    count: int

    def blocks(self) -> Iterator[Block]:
        every = itertools.chain.from_iterable(source.blocks() for source in self.sources)
        yield from itertools.islice(every, self.count)


@dataclass
class _UpTo(Source):
    """A source from its beginning on, up to so many bytes as stored."""

    source: Source
    length: int

    def blocks(self) -> Iterator[Block]:
        for block in self.source.blocks():
            self.done = self.source.done
            yield block
            if self.source.done >= self.length:
                return


@dataclass
class _Place(Source):
    """Whole lines of a text file, from the first that begins after byte `start`; parts of lines where they are long."""

    path: str
    start: int
    length: int

    def blocks(self) -> Iterator[Block]:
        with readable(self.path) as file:
            if self.start == 0:
                next(cut_into_blocks(file, self.path))  # sees whether it is text at all
            file.seek(self.start)
            block = _whole_lines(file.read(self.length), self.path, self.start)
        if block is not None:
            self.done = len(block.data)
            yield block


def _whole_lines(data: bytes, path: str, start: int) -> TextBlock | None:
    """What stands between the first and the last end of a line in `data`, or else white space."""
    for end in (b"\n", b" ", b"\t", b"\r"):
        first, last = data.find(end), data.rfind(end)
        if first != last:
            return TextBlock(data[first + 1 : last + 1], path, start + first + 1, line_goes_on=False)
    return None


def is_read_once(path: str) -> bool:
    """Whether nothing would be left to train on once a sample is read: standard input and pipes."""
    return path == STANDARD_INPUT or (Path(path).exists() and not Path(path).is_file() and not Path(path).is_dir())


def main() -> None:
    """`read_sample` for the process that is started for it: takes JSON as argument, prints JSON."""
    asked = json.loads(sys.argv[1])
    paths = [Path(each) for each in asked["paths"]]
    options = CorpusOptions.from_dict(asked["options"])
    corpus = paths if asked["several"] else asked["paths"][0]
    try:
        with warnings.catch_warnings(record=True) as met:
            warnings.simplefilter("always", UserWarning)
            sampled = read_sample(corpus, options, Path(asked["folder"]), asked["threads"])
    except FirthError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}))
        return
    told = dict.fromkeys(str(each.message) for each in met)  # each once: the beginning is read twice
    print(json.dumps(asdict(sampled) | {"warnings": list(told)}))

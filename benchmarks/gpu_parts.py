"""The parts of `gpu.py`: what each measures, on a GPU or, to see that it runs, under Triton's interpreter."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from material import chosen_corpus, corpora_folder, prepared, quality

from firth import WordVectors
from firth.backends.base import Backend, Rates, Tables, Tally
from firth.backends.cpu import CpuBackend
from firth.backends.devices import OLDEST_FOR_BFLOAT16
from firth.backends.gpu_crowds import Crowds
from firth.backends.reference import ReferenceBackend
from firth.corpus.encoded import Chunk
from firth.corpus.store import encoded_corpus
from firth.errors import FirthError
from firth.options import CorpusOptions, TrainingOptions, usable_cores
from firth.training import tables_for, train
from firth.vocabulary import Vocabulary
from firth.weights import Weights, initial_weights
from firth.windows import windows
from firth.world import ANALOGIES, sentences

SENTENCE = 20  # words
STRETCH = 1 << 23  # words of a made-up text that is written again and again
RATES = Rates(0.05, 0.0, 0.0)
MOST_OFF = 1e-4  # of a number of the reference's; they begin at some 0.1
MOST_OFF_OF_STEPS = 0.2  # of the way that input rows go, where programs race or steps are rounded
MANY = 16  # programs that race in the check, for 400 tokens
NUMBER_BYTES = {"float32": 4, "bfloat16": 2}


@dataclass(frozen=True)
class Size:
    """How much is taken of everything."""

    tokens: int  # in a chunk
    seconds: float  # that a speed is measured for
    sizes: tuple[int, ...] = (64, 100, 128, 300, 512)
    vocabularies: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    programs: tuple[int, ...] = (64, 256, 1024)
    warps: tuple[int, ...] = (1, 2, 4)
    tiles: tuple[int, ...] = (1, 2, 4)
    usual_size: int = 128
    wide_size: int = 300
    usual_vocabulary: int = 100_000
    copied: int = 1 << 30  # bytes
    product: int = 8192  # rows of the matrices
    world: int = 200_000  # sentences
    words: int = 20_000_000  # of the text that `firth train` is given
    streamed: int = 8  # chunks of the corpus that is sent in each epoch
    text: int = 4_000_000  # tokens of FIRTH_CORPORA's
    epochs: int = 5


@dataclass
class Report:
    """What was found so far: rows of each part, told and kept as they come."""

    device: str
    facts: dict[str, Any]
    json: Path | None
    began: float = field(default_factory=time.perf_counter)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, part: str, **row: Any) -> None:
        """Print a row, and write the file anew, so that a run that is cut off still tells."""
        self.rows.append({"part": part, **row})
        told = ", ".join(f"{name} {shown(value)}" for name, value in row.items())
        print(f"[{time.perf_counter() - self.began:6.1f} s] {part}: {told}", flush=True)
        if self.json:
            self.json.write_text(json.dumps({**self.facts, "rows": self.rows}, indent=1, default=str) + "\n")

    def of(self, part: str) -> list[dict[str, Any]]:
        """The rows of a part."""
        return [
            {name: value for name, value in row.items() if name != "part"} for row in self.rows if row["part"] == part
        ]


def shown(value: Any) -> str:
    """A number as people read it."""
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


# ---- what is trained on ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Made:
    """A made-up text: words by Zipf's law, numbered by falling count, each at least once."""

    tokens: np.ndarray[Any, np.dtype[np.int32]]
    vocabulary: Vocabulary
    tables: Tables

    def chunks(self, each: int) -> list[Chunk]:
        """Of so many tokens, as batches of an encoded corpus."""
        found = []
        for first in range(0, len(self.tokens), each):
            tokens = self.tokens[first : first + each]
            n = len(tokens)
            found.append(Chunk(tokens, np.append(np.arange(0, n, SENTENCE), n), 0, 0, n, first))
        return found


@cache
def made(tokens: int, V: int) -> Made:
    """So many tokens, or four for each word where that is more."""
    generator, n = np.random.default_rng(1), max(tokens, 4 * V)
    upto = np.cumsum(1 / np.arange(1, V + 1))
    words = np.concatenate([np.arange(V), np.searchsorted(upto, generator.random(n - V) * upto[-1])])
    counts = np.bincount(words, minlength=V)
    rank = np.argsort(np.argsort(-counts, kind="stable"))
    vocabulary = Vocabulary(tuple(map(str, range(V))), np.sort(counts)[::-1])
    text = generator.permutation(rank[words].astype(np.int32))
    return Made(text, vocabulary, tables_for(vocabulary, TrainingOptions()))


@cache
def drawn_windows(tokens: int, V: int) -> tuple[int, int]:
    """How many windows with contexts an epoch of the text has, and how many contexts."""
    text = made(tokens, V)
    found = [windows(chunk, 0, TrainingOptions(), text.tables.keep) for chunk in text.chunks(tokens)]
    return sum(map(len, found)), sum(len(each.contexts) for each in found)


def start_of(V: int, options: TrainingOptions) -> Weights:
    return initial_weights(V, options.vector_size, options.seed, usable_cores())


def trained(
    backend: Backend, chunks: Sequence[Chunk], V: int, tables: Tables, options: TrainingOptions
) -> tuple[Weights, Tally]:
    """Train the chunks; gives weights of their own, and the sums."""
    weights = start_of(V, options)
    weights.output[:] = np.random.default_rng(1).normal(0, 0.1, weights.output.shape)
    backend.start(weights, tables, options)
    for chunk in chunks:
        backend.train(chunk, 0, RATES)
    backend.settle()
    found, tally = backend.weights().copy(), backend.tally()
    backend.close()
    return found, tally


# ---- the parts ---------------------------------------------------------------------------------


class Measurements:
    """The parts. On a GPU, or under the interpreter, whose times mean nothing."""

    def __init__(self, report: Report, size: Size, sm: int) -> None:
        import torch
        from gpu_rows_alone import move

        from firth.backends.gpu import GpuBackend

        self.torch, self.report, self.size, self.move = torch, report, size, move
        self.device, self.GpuBackend, self.sm = report.device, GpuBackend, sm
        self.until = float("inf")
        self.kinds = ["float32"]
        if self.device == "cpu" or torch.cuda.get_device_capability() >= OLDEST_FOR_BFLOAT16:
            self.kinds.append("bfloat16")

    def backend(self, **how: Any) -> Any:
        """The GPU's backend; its own number of programs and room for the corpus unless given."""
        if self.device == "cpu":
            how = {"programs": 2, "corpus_bytes": 1 << 20, **how}
        return self.GpuBackend(self.device, **how)

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def fits(self, part: str, what: str) -> bool:
        """Whether the part has time left; says what is left out where it has not."""
        if time.perf_counter() < self.until:
            return True
        self.report.tell("left out", of=part, what=what)
        return False

    def check(self) -> None:
        """One program against the reference, number by number; many, and bfloat16, by how far off their steps end."""
        rng = np.random.default_rng(1)
        V, each, count = (400, 8, 1) if self.device == "cpu" else (400, SENTENCE, 20)
        words = np.concatenate([rng.permutation(V)[:each] for _ in range(count)]).astype(np.int32)
        vocabulary = Vocabulary(tuple(map(str, range(V))), np.sort(rng.integers(1, 1000, V))[::-1])
        chunk = Chunk(words, np.arange(0, len(words) + 1, each), 0, 0, len(words), 0)
        usual = sorted({self.size.usual_size, self.size.wide_size})
        for loss, sizes in (("ns", self.size.sizes), ("hs", usual)):
            for architecture in ("skipgram", "cbow"):
                for D in sizes:
                    if self.fits("check", f"{architecture}, {loss}, D = {D}"):
                        asked = {"architecture": architecture, "loss": loss, "vector_size": D, "sample": 0.1}
                        self.held_to_the_reference(asked, vocabulary, chunk, more=D in usual)

    def held_to_the_reference(self, asked: dict[str, Any], vocabulary: Vocabulary, chunk: Chunk, more: bool) -> None:
        """Train a chunk by one program and by the reference; and, if `more`, in other ways that may differ a little."""
        options = TrainingOptions.from_dict(asked)
        V, tables = len(vocabulary), tables_for(vocabulary, options)
        named = {"architecture": options.architecture, "loss": options.loss, "D": options.vector_size}
        start = start_of(V, options).input
        (one, _), (reference, truth) = (
            trained(each, [chunk], V, tables, options) for each in (self.backend(programs=1), ReferenceBackend())
        )
        for name in ("input", "output"):
            off = float(np.abs(getattr(one, name) - getattr(reference, name)).max())
            self.report.tell("check", **named, matrix=name, largest_difference=off, right=off < MOST_OFF)
        for programs, kept in ((MANY, "float32"), *((1, kept) for kept in self.kinds[1:])) if more else ():
            other = replace(options, device="cuda", gpu_dtype=kept)
            weights, tally = trained(self.backend(programs=programs), [chunk], V, tables, other)
            off = float(np.linalg.norm(weights.input - reference.input) / np.linalg.norm(reference.input - start))
            right = off < MOST_OFF_OF_STEPS and weights.finite and tally.examples == truth.examples
            self.report.tell("check", **named, programs=programs, kept=kept, off_of_steps=off, right=right)

    def ceilings(self) -> None:
        """What the device does when it does nothing else."""
        torch, size = self.torch, self.size
        source = torch.zeros(size.copied, dtype=torch.uint8, device=self.device)
        seconds = self.timed(partial(torch.empty_like(source).copy_, source))
        self.report.tell("ceilings", what="copy", GB_per_second=2 * size.copied / seconds / 1e9)
        del source
        if self.device == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = False
        a = torch.randn(size.product, size.product, device=self.device)
        seconds = self.timed(partial(torch.mm, a, a))
        self.report.tell("ceilings", what="product, float32", TFLOP_per_second=2 * size.product**3 / seconds / 1e12)
        del a
        text = made(size.tokens, size.usual_vocabulary)
        rows = torch.from_numpy(text.tokens).to(self.device)
        for D in size.sizes:
            if not self.fits("ceilings", f"rows of {D}"):
                continue
            width = -(-D // 16) * 16
            main = max(32, 1 << (width - 1).bit_length())
            programs = 16 * self.sm
            for kept in self.kinds:
                matrix = torch.zeros(len(text.vocabulary), width, dtype=getattr(torch, kept), device=self.device)
                move = partial(self.move[(programs,)], matrix, rows, len(rows), MAIN=main, WIDTH=width, num_warps=1)
                seconds = self.timed(move)
                moved = 2 * NUMBER_BYTES[kept] * width * len(rows)
                self.report.tell(
                    "ceilings",
                    what=f"rows of {D} read and added to, {kept}",
                    GB_per_second=moved / seconds / 1e9,
                    programs=programs,
                )

    def timed(self, work: Callable[[], Any]) -> float:
        """Seconds that some work takes: of as many runs as fit in the time for one measurement, after a first."""
        work()
        self.wait()
        began, count = time.perf_counter(), 0
        while count == 0 or time.perf_counter() - began < self.size.seconds:
            work()
            self.wait()
            count += 1
        return (time.perf_counter() - began) / count

    def speed(self) -> None:
        """Words a second of all that is varied, one thing at a time, most telling first."""
        size = self.size
        full = self.one_speed("usual")
        for architecture in ("skipgram", "cbow"):
            for D in size.sizes:
                self.one_speed("D", architecture=architecture, D=D)
        for architecture in ("skipgram", "cbow"):
            self.one_speed("hierarchical softmax", architecture=architecture, loss="hs")
        for kept in self.kinds[1:]:
            for architecture in ("skipgram", "cbow"):
                for D in size.sizes:
                    self.one_speed(kept, architecture=architecture, D=D, kept=kept)
                self.one_speed(f"{kept}, hierarchical softmax", architecture=architecture, loss="hs", kept=kept)
        for V in size.vocabularies:
            self.one_speed("vocabulary", V=V)
        for programs in (*size.programs, *(round(full * share) for share in (0.5, 2) if full)):
            self.one_speed("programs", programs=programs)
        for D in sorted({size.usual_size, size.wide_size}):
            for warps in size.warps:
                self.one_speed("warps", D=D, warps=warps)
            for tile in size.tiles:
                self.one_speed("contexts at hand", D=D, tile=tile)
        self.one_speed("stores that race", atomic=False)
        self.one_speed("corpus of several chunks", chunks=size.streamed)
        self.one_speed("corpus sent in each epoch", chunks=size.streamed, corpus_bytes=0)

    def one_speed(
        self,
        what: str,
        architecture: str = "skipgram",
        loss: str = "ns",
        D: int = 0,
        V: int = 0,
        kept: str = "float32",
        chunks: int = 1,
        **how: Any,
    ) -> int:
        """Measure one; gives the number of programs, 0 where it was left out."""
        D, V, n = D or self.size.usual_size, V or self.size.usual_vocabulary, self.size.tokens
        named = f"{what}, {architecture}, D = {D}, V = {V:,}, {how}"
        if not self.fits("speed", named):
            return 0
        asked = {"architecture": architecture, "loss": loss, "vector_size": D, "device": "cuda", "gpu_dtype": kept}
        options = TrainingOptions.from_dict(asked)
        text = made(chunks * n, V)
        tables = tables_for(text.vocabulary, options)
        parts = text.chunks(n)
        began = time.perf_counter()
        backend = self.backend(**how)
        try:
            backend.start(start_of(V, options), tables, options)
        except Exception as error:  # a kernel that cannot be so compiled is a result, too
            self.report.tell("failed", what=named, error=str(error).split("\n")[0][:200])
            return 0
        ready = time.perf_counter() - began
        for chunk in parts:
            backend.train(chunk, 0, RATES)
        backend.settle()
        words, began, epoch = backend.tally().words, time.perf_counter(), 1
        while epoch == 1 or time.perf_counter() - began < self.size.seconds:
            for chunk in parts:
                backend.train(chunk, epoch, RATES)
            epoch += 1
        backend.settle()
        seconds = (time.perf_counter() - began) / (epoch - 1)
        words, programs = (backend.tally().words - words) // (epoch - 1), backend.programs_for(n)
        planning = len(parts) * self.timed(partial(backend.plan, parts[0]))
        finite = bool(np.isfinite(backend.tally().loss))
        backend.close()
        N, contexts = drawn_windows(chunks * n, V)
        S, width = float(Crowds.of(tables, options).output.sum()), -(-D // 16) * 16  # output rows of a window
        bytes_ = 2 * NUMBER_BYTES[kept] * width * (contexts + S * N)
        flop = 6 * D * S * contexts if architecture == "skipgram" else 6 * D * S * N + 2 * D * contexts
        self.report.tell(
            "speed",
            what=what,
            architecture=architecture,
            D=D,
            V=V,
            programs=programs,
            **{name: value for name, value in how.items() if name != "programs"},
            M_words_per_second=words / seconds / 1e6,
            GB_per_second=bytes_ / seconds / 1e9,
            TFLOP_per_second=flop / seconds / 1e12,
            share_of_planning=planning / seconds,
            seconds_to_start=ready,
            finite=finite,
        )
        return int(programs)

    def quality(self) -> None:
        """What is learned on the CPU and on the GPU, with all programs and with few."""
        with tempfile.TemporaryDirectory() as work:
            path = Path(work) / "world.txt"
            path.write_text("".join(" ".join(each) + "\n" for each in sentences(self.size.world)), encoding="utf-8")
            for architecture in ("skipgram", "cbow"):
                self.compared("world", path, architecture, min_count=1, sets=None)
            if corpora_folder() and self.size.text:
                text = Path(work) / "text.txt"
                prepared(chosen_corpus(None), text, self.size.text, 5)
                for architecture in ("skipgram", "cbow"):
                    self.compared("text17", text, architecture, min_count=5, sets=Path(corpora_folder() or "") / "eval")

    def compared(self, name: str, path: Path, architecture: str, min_count: int, sets: Path | None) -> None:
        """Train a text on each machine, and judge what was learned."""
        corpus = encoded_corpus(path, CorpusOptions(cache=False), threads=usable_cores())
        vocabulary = Vocabulary.of(corpus, min_count=min_count)
        few = 2 if self.device == "cpu" else 64
        machines: dict[str, Callable[[], Any]] = {
            "CPU": CpuBackend,
            "GPU": self.backend,
            f"GPU, {few} programs": lambda: self.backend(programs=few),
        }
        machines |= {f"GPU, {kept}": self.backend for kept in self.kinds[1:]}
        means: dict[str, float] = {}  # of the sets, in points of 100
        for where, make in machines.items():
            if not self.fits("quality", f"{name}, {architecture}, {where}"):
                continue
            options = TrainingOptions(
                architecture=architecture,  # type: ignore[arg-type]
                epochs=self.size.epochs,
                vector_size=self.size.usual_size if self.device == "cpu" else 100,
                held_out=0.05,
                sample=0 if self.device == "cpu" else 1e-3,  # which would empty the few sentences of the interpreter
                device="cpu" if where == "CPU" else "cuda",
                gpu_dtype="bfloat16" if where == "GPU, bfloat16" else "float32",
            )
            began = time.perf_counter()
            try:
                weights, state = train(corpus, vocabulary, options, make(), start_of(len(vocabulary), options))
            except FirthError as error:
                self.report.tell("failed", what=f"{name}, {architecture}, {where}", error=str(error)[:200])
                continue
            seconds = time.perf_counter() - began
            vectors = WordVectors(vocabulary.words, weights.input.copy(), vocabulary.counts)
            row: dict[str, Any] = {"held_out_loss": state.held_out_losses[-1], "seconds": seconds}
            if sets is None:
                row["analogies"] = share_right(vectors)
            else:
                with tempfile.TemporaryDirectory() as work:
                    vectors.save(Path(work) / "vectors.safetensors")
                    scores = quality(Path(work) / "vectors.safetensors", sets)
                means[where] = float(np.mean([score for score in scores.values() if score is not None] or [0.0]))
                row |= scores | {"mean": means[where]}
                if "CPU" in means:
                    row["points_below_the_CPU"] = means["CPU"] - means[where]
            self.report.tell("quality", text=name, architecture=architecture, where=where, **row)
        corpus.close()

    def whole(self) -> None:
        """`firth train` as a program, one epoch: cold, with nothing kept from before, and again."""
        with tempfile.TemporaryDirectory() as work:
            text = Path(work) / "text.txt"
            write_made(text, self.size.words, self.size.usual_vocabulary)
            for device in ("cpu",) if self.device == "cpu" else ("cuda", "cpu"):
                kept = {name: str(Path(work, device, name)) for name in ("FIRTH_CACHE", "TRITON_CACHE_DIR")}
                if self.device == "cpu":
                    kept = {}  # compiling anew would take longer than all else here
                for run in ("cold", "again") if kept else ("again",):
                    if self.fits("whole", f"{device}, {run}"):
                        self.one_whole(text, device, run, kept)

    def one_whole(self, text: Path, device: str, run: str, environment: dict[str, str]) -> None:
        """Run `firth train` on a text, with what was kept in these folders, and tell where its seconds went."""
        named = f"firth train --device {device}, {run}"
        options = {
            "--device": device,
            "--vector-size": self.size.usual_size,
            "--epochs": 1,
            "--workers": usable_cores(),
        }
        command = [sys.executable, "-m", "firth", "train", text, "-o", text.parent / "model.safetensors", "--json"]
        command += ["--min-count", "1", *(each for option in options.items() for each in option)]
        began = time.perf_counter()
        left = self.until - began
        try:
            done = subprocess.run(
                list(map(str, command)), capture_output=True, text=True, check=False,
                env=os.environ | environment, timeout=None if left == math.inf else left,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            self.report.tell("left out", of="whole", what=f"{named}, after {left:.0f} s")
            return
        seconds = time.perf_counter() - began
        if done.returncode:
            self.report.tell("failed", what=named, error=done.stderr[-500:])
            return
        found = json.loads(done.stdout)
        where = {name: found[f"{name}_seconds"] for name in ("reading", "compiling", "training", "saving")}
        self.report.tell(
            "whole", device=device, run=run, words=found["words"], seconds=seconds, **where,
            others=seconds - sum(where.values()),
        )  # fmt: skip


def write_made(path: Path, words: int, V: int) -> None:
    """Write a made-up text of so many words, SENTENCE to a line: a stretch of one by Zipf's law, again and again."""
    text = made(min(words, STRETCH), V)
    n = len(text.tokens)
    spelled = np.array([f"{word}{end}".encode() for end in (" ", "\n") for word in text.vocabulary.words], object)
    ends_line = np.arange(n) % SENTENCE == SENTENCE - 1
    stretch = b"".join(spelled[text.tokens + V * ends_line].tolist())
    with path.open("wb") as file:
        for _ in range(-(-words // n)):
            file.write(stretch)


def share_right(vectors: WordVectors) -> float:
    """Of the world's analogies, those answered right."""
    known = [question for question in ANALOGIES if all(word in vectors for word in question)]
    right = sum(vectors.analogy(a, b, c, topn=1)[0][0] == d for a, b, c, d in known)
    return right / max(1, len(known))

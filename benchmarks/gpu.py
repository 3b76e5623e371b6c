"""All that is to be known of training on a GPU, in one go: right results, speed, quality, and where the time goes.

    python benchmarks/gpu.py --json gpu.json --markdown gpu.md

needs PyTorch and Triton, no network, and less than eight minutes. Each part is told as soon as it is done, and has so
many seconds: what does not fit into them is named and left out. `--quick` takes less of everything.

- check: trained by one program, small texts give what the reference gives; by many, or in bfloat16, nearly.
- ceilings: copies, and gathering rows and adding to them by the words of a text, both in bytes/s; products of float32
  matrices in FLOP/s. What training reaches is told beside them.
- speed: words/s on made-up texts (Zipf's law) by vector size, vocabulary, number of programs, warps, contexts at hand,
  bfloat16, additions that are atomic or stores that race, corpora that stay on the device or travel in each epoch.
- quality: held-out loss, and analogies of the demo's world, on the CPU and on the GPU; with FIRTH_CORPORA the published
  sets after training on some of its text, and how many points of 100 their mean is below the CPU's, besides.
- whole: `firth train` from start to end, cold and again, and where its seconds went; `--parts whole --words 1000000000`
  for a billion words (13 GB among the temporary files: the text, and encoded for each device).

Bytes of a window are those of its rows, read once and added to once: 2 · 4 · width · (contexts + output rows), half of
that with bfloat16. FLOP are 6 · D for each pair of context and output row; CBOW's 6 · D for each output row and 2 · D
for each context.

On a machine without a GPU `--interpret` runs all of it on a few words, by Triton's interpreter: to see that it runs.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from gpu_parts import Measurements, Report, Size, shown
from material import machine

from firth.backends.devices import found, gpu
from firth.errors import FirthError

WHOLE = Size(tokens=1 << 20, seconds=0.5)
QUICK = Size(
    1 << 20, 0.2, sizes=(100, 300), vocabularies=(10_000,), programs=(256,), world=50_000, text=1_000_000, epochs=2
)
TINY = Size(
    tokens=24,
    seconds=0.0,
    sizes=(20,),
    vocabularies=(6,),
    programs=(3,),
    warps=(1,),
    tiles=(1,),
    usual_size=20,
    wide_size=20,
    usual_vocabulary=6,
    copied=1 << 12,
    product=16,
    world=3,
    words=60,
    streamed=2,
    text=0,
    epochs=1,
)
PARTS = {"check": 75, "ceilings": 25, "speed": 170, "quality": 120, "whole": 60}  # seconds, 450 in all


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure all of training on a GPU in one go.")
    add = parser.add_argument
    add("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure (default: all)")
    add(
        "--words", type=int, help="words of the text that firth train is given, which then may take as long as it takes"
    )
    add("--quick", action="store_true", help="fewer sizes, shorter texts")
    add("--interpret", action="store_true", help="run everything on a few words by Triton's interpreter, without a GPU")
    add("--json", type=Path, help="file to write every row to, as they come")
    add("--markdown", type=Path, help="file to write the tables to")
    return parser.parse_args()


def tables(report: Report) -> Iterator[str]:
    """Markdown: the facts, and a table for each part."""
    yield "- " + "; ".join(str(each) for each in report.facts.values())
    for part in dict.fromkeys(row["part"] for row in report.rows):
        rows = report.of(part)
        names = list(dict.fromkeys(name for row in rows for name in row))
        yield f"\n**{part}**\n"
        yield "| " + " | ".join(name.replace("_per_second", "/s").replace("_", " ") for name in names) + " |"
        yield "|" + "---|" * len(names)
        for row in rows:
            yield "| " + " | ".join(shown(row.get(name, "")) for name in names) + " |"


def facts(interpret: bool) -> dict[str, Any]:
    """What this is measured on. Ends the run where there is no GPU, saying why."""
    import torch
    import triton

    versions = {"PyTorch": f"PyTorch {torch.__version__}", "Triton": f"Triton {triton.__version__}"}
    about = {"machine": machine(), "date": str(datetime.date.today()), **versions}
    if interpret:
        return {"gpu": "Triton's interpreter: no speed here means anything", **about}
    there = gpu()
    properties = torch.cuda.get_device_properties(0)
    return {
        "gpu": f"{there.name}, {properties.multi_processor_count} multiprocessors, "
        f"{properties.total_memory / 2**30:.0f} GiB, CUDA {found().cuda}",
        **about,
    }


def main() -> None:
    given = arguments()
    if given.interpret:
        os.environ["TRITON_INTERPRET"] = "1"
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        report = Report("cpu" if given.interpret else "cuda", facts(given.interpret), given.json)
    except (FirthError, ImportError) as error:
        raise SystemExit(
            f"no GPU to measure: {error}. --interpret runs all of it on a few words without one"
        ) from error
    print(*report.facts.values(), sep="\n", flush=True)
    size = TINY if given.interpret else QUICK if given.quick else WHOLE
    if given.words:
        size = replace(size, words=given.words)
    sm = 1
    if not given.interpret:
        import torch

        sm = torch.cuda.get_device_properties(0).multi_processor_count
    if given.interpret:
        from interpreted_bfloat16 import right_bfloat16

        right = right_bfloat16()  # kept by its name, to the end of the program
        right.__enter__()
    measurements = Measurements(report, size, sm)
    for part in given.parts:
        measurements.until = math.inf if part == "whole" and given.words else time.perf_counter() + PARTS[part]
        try:
            getattr(measurements, part)()
        except Exception as error:  # the other parts still tell
            report.tell("failed", what=part, error=f"{type(error).__name__}: {error}"[:500])
    lines = list(tables(report))
    print("", *lines, sep="\n")
    if given.markdown:
        given.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    wrong = [row for row in report.rows if row["part"] == "failed" or row.get("right") is False]
    if wrong:
        raise SystemExit(f"{len(wrong)} of {len(report.rows)} rows failed: {wrong[0]}")


if __name__ == "__main__":
    main()

"""Benchmarks are not run here, but they keep up with what they measure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def test_every_benchmark_finds_what_it_imports():
    """In one process of its own; the peers' packages, which they import when they run, need not be there."""
    kernels = set() if find_spec("triton") else {"gpu_rows_alone"}  # made of Triton, which is for Linux
    names = sorted({each.stem for each in BENCHMARKS.glob("*.py")} - kernels)
    assert "peers" in names
    code = f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-c", code], cwd=BENCHMARKS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    not (find_spec("triton") and find_spec("torch")),
    reason="Triton or PyTorch is not installed (Triton is for Linux); pip install --group test installs them",
)
def test_the_gpu_s_benchmark_runs_through_under_the_interpreter(tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    environment.pop("FIRTH_CORPORA", None)
    kept, tables = tmp_path / "gpu.json", tmp_path / "gpu.md"
    command = [sys.executable, "gpu.py", "--interpret", "--json", str(kept), "--markdown", str(tables)]
    done = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    rows = json.loads(kept.read_text())["rows"]
    assert {row["part"] for row in rows} == {"check", "ceilings", "speed", "quality", "whole"}
    assert all(row["right"] for row in rows if row["part"] == "check")
    checked = {(row["loss"], row.get("programs", 1), row.get("kept")) for row in rows if row["part"] == "check"}
    ways = ((1, None), (16, "float32"), (1, "bfloat16"))
    assert checked == {(loss, *way) for loss in ("ns", "hs") for way in ways}
    assert all(row["finite"] for row in rows if row["part"] == "speed")
    assert [line for line in tables.read_text().splitlines() if line.startswith("| usual | skipgram |")]
    assert len(done.stdout.splitlines()) > len(rows)  # each told as it came


@pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed; pip install --group test installs it")
def test_the_gpu_s_benchmark_says_why_it_cannot_measure(tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "gpu.py", "--json", str(tmp_path / "gpu.json")]
    done = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "no GPU to measure: device='cuda' needs" in done.stderr
    assert not (tmp_path / "gpu.json").exists()

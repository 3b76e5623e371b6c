"""Benchmarks are not run here, but they keep up with what they measure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def test_every_benchmark_finds_what_it_imports():
    """In one process of its own; the peers' packages, which they import when they run, need not be there."""
    names = sorted(each.stem for each in BENCHMARKS.glob("*.py"))
    assert "peers" in names
    code = f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-c", code], cwd=BENCHMARKS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""The first run has its kernel compiled by another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from firth import ahead, jit_cache
from firth.options import TrainingOptions, usable_cores

OPTIONS = TrainingOptions(vector_size=16, negative=1)

# Has the kernel compiled ahead in an empty cache; tells how that ended, and whether the kernel then had to be compiled.
FIRST_RUN = """
import json
from firth.ahead import kernel_compiled_ahead, main
from firth.backends.cpu_grams import train_skipgram_grams
from firth.backends.cpu_kernels import train_skipgram
from firth.options import TrainingOptions, usable_cores
import sys
options = TrainingOptions.from_dict(json.loads(sys.argv[1]))
with kernel_compiled_ahead(options) as wait:
    status = wait()
main()
stats = (train_skipgram_grams if options.subwords else train_skipgram).stats
print(json.dumps({"status": status, "found": len(stats.cache_hits), "compiled": len(stats.cache_misses)}))
"""


@pytest.fixture
def nothing_compiled(tmp_path, monkeypatch):
    monkeypatch.setattr(jit_cache, "compiled_folder", lambda: tmp_path / "cache" / "compiled" / "0123456789abcdef")
    monkeypatch.setattr(ahead, "usable_cores", lambda: 2)
    return tmp_path / "cache" / "compiled"


@pytest.mark.skipif(usable_cores() < 2, reason="a second core is what it is for")
@pytest.mark.parametrize("subwords", [False, True])
def test_what_the_other_process_compiled_is_found(tmp_path, subwords):
    options = replace(OPTIONS, subwords=subwords)
    command = [sys.executable, "-c", FIRST_RUN, json.dumps(options.as_dict())]
    environment = os.environ | {"FIRTH_CACHE": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"status": 0, "found": 1, "compiled": 0}


def test_a_process_that_fails_stops_nothing(nothing_compiled, monkeypatch):
    monkeypatch.setattr(ahead, "PROGRAM", "raise SystemExit(3)")
    with ahead.kernel_compiled_ahead(OPTIONS) as wait:
        assert wait() == 3


def test_what_is_not_waited_for_is_ended(nothing_compiled, monkeypatch):
    monkeypatch.setattr(ahead, "PROGRAM", "import time; time.sleep(600)")
    with pytest.raises(ZeroDivisionError), ahead.kernel_compiled_ahead(OPTIONS):
        raise ZeroDivisionError


@pytest.mark.parametrize("options", [{"backend": "reference"}, {"loss": "softmax"}])
def test_what_compiles_nothing_starts_nothing(nothing_compiled, monkeypatch, options):
    monkeypatch.setattr(ahead, "PROGRAM", "raise SystemExit(3)")
    with ahead.kernel_compiled_ahead(TrainingOptions(**options)) as wait:
        assert wait() is None


def test_nothing_is_started_for_one_core_or_where_something_is_compiled(nothing_compiled, monkeypatch):
    monkeypatch.setattr(ahead, "PROGRAM", "raise SystemExit(3)")
    monkeypatch.setattr(ahead, "usable_cores", lambda: 1)
    with ahead.kernel_compiled_ahead(OPTIONS) as wait:
        assert wait() is None
    monkeypatch.setattr(ahead, "usable_cores", lambda: 2)
    (nothing_compiled / "0123456789abcdef").mkdir(parents=True)
    with ahead.kernel_compiled_ahead(OPTIONS) as wait:
        assert wait() is None

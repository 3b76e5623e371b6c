"""Compiled code: kept under what it was made from, found again, in any folder, and removed when long unused."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import firth

SOURCE = Path(firth.__file__).parent

# Numbers three words with the compiled lexicon; tells where its code is kept, and whether that was found or made.
PROGRAM = """
import json, os, sys, warnings
import numpy as np

def read_only(event, arguments):
    if event == "open":
        path, _, flags = arguments
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.utime"):
        path, writes = arguments[0], True
    else:
        return
    if writes and isinstance(path, str) and any(path.startswith(each) for each in sys.argv[1:]):
        raise OSError(30, "Read-only file system", path)

if len(sys.argv) > 1:
    sys.addaudithook(read_only)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from firth.corpus import lexicon
    from firth.jit_cache import compiled_folder
    from firth.corpus.tokenizers import WHITESPACE
    text = np.frombuffer(b"a b a", np.uint8)
    ids, _ = lexicon.Lexicon().split(text, np.array([0, 5]), WHITESPACE)
    stats = lexicon._split.stats
told = {"ids": ids.tolist(), "folder": str(compiled_folder()), "package": lexicon.__file__}
told |= {"hits": sum(stats.cache_hits.values()), "misses": sum(stats.cache_misses.values())}
print(json.dumps(told | {"warnings": [str(each.message) for each in caught]}))
"""


def started(package, cache, *read_only):
    """What a fresh process tells that runs the firth in `package`, with folders that it cannot write in."""
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "FIRTH_CACHE": str(cache)}
    command = [sys.executable, "-B", "-c", PROGRAM, *map(str, read_only)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert Path(told["package"]).is_relative_to(package)
    assert told["ids"] == [0, 1, 0]
    return told


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A cache in which the lexicon's code is compiled; what the process that compiled it told."""
    cache = tmp_path_factory.mktemp("made")
    return cache, started(SOURCE, cache)


def upgraded(tmp_path, file, old, new):
    """A copy of the package in which one line of one file is another."""
    package = tmp_path / "upgraded" / "firth"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    text = (package / file).read_text()
    assert old in text
    (package / file).write_text(text.replace(old, new))
    return package


def test_the_first_start_compiles_and_the_second_does_not(made):
    cache, first = made
    assert (first["hits"], first["misses"], first["warnings"]) == (0, 1, [])
    second = started(SOURCE, cache)
    assert (second["hits"], second["misses"], second["folder"]) == (1, 0, first["folder"])


def test_an_upgrade_that_changes_no_compiled_source_compiles_nothing(made, tmp_path):
    cache, first = made
    told = started(upgraded(tmp_path, "cli.py", "INTERRUPTED = 130", "INTERRUPTED = 131"), cache)
    assert (told["hits"], told["misses"], told["folder"]) == (1, 0, first["folder"])


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("corpus/lexicon.py", "PIECE = 256", "PIECE = 128"),
        ("backends/simd.py", "from __future__", "\nfrom __future__"),
        ("backends/base.py", "CONTEXTS_AT_ONCE = 16", "CONTEXTS_AT_ONCE = 8"),
        ("draws.py", "from __future__", "\nfrom __future__"),
    ],
)
def test_an_upgrade_of_what_is_compiled_or_made_part_of_it_compiles_anew(made, tmp_path, file, old, new):
    package, (cache, first) = upgraded(tmp_path, file, old, new), made
    program = "from firth.jit_cache import compiled_folder; print(compiled_folder())"
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "FIRTH_CACHE": str(cache)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert Path(done.stdout.strip()).parent == Path(first["folder"]).parent
    assert done.stdout.strip() != first["folder"]


def test_other_versions_of_the_compiler_have_a_folder_of_their_own(monkeypatch):
    from firth import jit_cache

    folder = jit_cache.compiled_folder.__wrapped__()
    monkeypatch.setattr(jit_cache.llvmlite, "__version__", "0.0")
    assert jit_cache.compiled_folder.__wrapped__() != folder


def test_a_cache_and_an_installation_that_may_only_be_read_serve(made):
    cache, _ = made
    told = started(SOURCE, cache, cache, SOURCE)
    assert (told["hits"], told["misses"], told["warnings"]) == (1, 0, [])


def test_where_nothing_can_be_kept_every_start_compiles_and_says_so_once(tmp_path):
    told = started(SOURCE, tmp_path / "cache", tmp_path / "cache", SOURCE, Path.home() / ".cache")
    assert (told["hits"], told["misses"]) == (0, 1)
    (warning,) = told["warnings"]
    assert "cannot keep its compiled code" in warning
    assert "Read-only file system" in warning
    assert "set FIRTH_CACHE" in warning
    assert not (tmp_path / "cache").exists()


def test_what_was_cut_short_is_compiled_anew(made, tmp_path):
    shutil.copytree(made[0], tmp_path / "cache")
    for suffix in ("nbi", "nbc"):
        for file in (tmp_path / "cache").rglob(f"*._split*.{suffix}"):
            file.write_bytes(file.read_bytes()[:100])
        told = started(SOURCE, tmp_path / "cache")
        assert (told["hits"], told["misses"], told["warnings"]) == (0, 1, [])
        assert started(SOURCE, tmp_path / "cache")["hits"] == 1


def test_forms_that_two_processes_keep_at_once_are_not_mistaken(tmp_path):
    """Process B looks and saves while A has looked and not yet saved."""
    from firth.jit_cache import _CacheFile

    a, b = (_CacheFile(str(tmp_path), "f", "stamp") for _ in range(2))
    a_saves_index = a._save_index

    def b_comes_first(overloads):
        b.save("Y", "code of Y")
        a_saves_index(overloads)

    a._save_index = b_comes_first
    a.save("X", "code of X")
    later = _CacheFile(str(tmp_path), "f", "stamp")
    assert later.load("X") == "code of X"
    assert later.load("Y") in (None, "code of Y"), "one that the index lost is compiled anew"
    b._save_index({"Y": "f.2.nbc"})
    b.save("Y", "code of Y")
    assert later.load("Y") == "code of Y"


def test_a_package_without_sources_keeps_no_code(tmp_path):
    package = tmp_path / "zipped"
    with zipfile.ZipFile(package, "w") as archive:
        for file in SOURCE.rglob("*.py"):
            archive.write(file, Path("firth") / file.relative_to(SOURCE))
    told = started(package / "firth", tmp_path / "cache")
    assert (told["hits"], told["misses"]) == (0, 1)
    (warning,) = told["warnings"]
    assert "its sources are not there" in warning
    assert not (tmp_path / "cache").exists()


def test_only_compiled_code_that_is_long_unused_is_removed(tmp_path):
    compiled = tmp_path / "compiled"
    long_ago = time.time() - 91 * 86_400
    folders = {
        "0000000000000000": ("backends/a.py311.nbi", long_ago),  # the one to go
        "1111111111111111": ("backends/a.py311.nbi", time.time() - 89 * 86_400),
        "2222222222222222": ("backends/notes.txt", long_ago),
        "mine": ("backends/a.py311.nbi", long_ago),
    }
    for name, (file, changed) in folders.items():
        path = compiled / name / file
        path.parent.mkdir(parents=True)
        path.touch()
        for each in (path, *path.parents[:2]):
            os.utime(each, (changed, changed))
    (compiled / "4444444444444444").mkdir()
    os.utime(compiled / "4444444444444444", (long_ago, long_ago))
    (compiled / "3333333333333333").symlink_to(compiled / "mine")
    told = started(SOURCE, tmp_path)
    left = {each.name for each in compiled.iterdir()}
    assert left == {*folders, "3333333333333333", "4444444444444444", Path(told["folder"]).name} - {"0000000000000000"}


def test_each_start_marks_the_folder_it_uses(made):
    cache, first = made
    long_ago = time.time() - 200 * 86_400
    os.utime(first["folder"], (long_ago, long_ago))
    started(SOURCE, cache)
    assert time.time() - Path(first["folder"]).stat().st_mtime < 3600

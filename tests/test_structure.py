"""Imports point one way, importing is cheap, and the public names are those agreed on."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import firth

SOURCE = Path(firth.__file__).parent

# Each line may import from its own and from those above it.
LAYERS = [
    {"errors"},
    {"options", "bar", "elsewhere"},
    {"arrow", "cache", "storage", "draws", "jit", "jit_cache", "machine", "memory"},
    {"corpus"},
    {"phrases"},
    {"huffman_kernels", "ngram_kernels"},
    {"ngrams"},
    {"vocabulary", "huffman"},
    {"weights", "windows"},
    {"combining", "likelihood"},
    {"blas"},
    {"backends"},
    {"affordable", "graphs"},
    {"nearest_kernels", "descriptions"},
    {"nearest"},
    {"stored", "screen"},
    {"formats", "indexes", "vectors", "tables"},
    {"state", "callbacks"},
    {"training"},
    {"ahead"},
    {"progress", "scoring"},
    {"word2vec"},
    {"torch"},
    {"evaluate", "estimating", "shrinking", "gensim", "transforms"},
    {"sklearn"},
    {"world", "visualise", "demo", "reports", "remedies"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
MODULES = sorted(each for each in SOURCE.rglob("*.py") if each != SOURCE / "__init__.py")


def part(path):
    """The part of the package that a file belongs to: its top folder or its own name."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_parts(path):
    """The parts of firth that a file imports anywhere in it: at its top, inside functions, or for types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            if node.module == "firth":
                yield from (name.name for name in node.names if (SOURCE / name.name).exists() or name.name in LEVEL)
            elif node.module and node.module.startswith("firth."):
                yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("firth."))


def test_every_part_has_its_layer():
    assert {part(each) for each in MODULES} <= set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_one_way(path):
    own = LEVEL[part(path)]
    upward = {name for name in imported_parts(path) if LEVEL[name] > own}
    assert not upward, f"{part(path)} must not import {', '.join(sorted(upward))}, which build on it"


def test_modules_do_not_import_each_other_in_circles():
    """Counting what is imported when a module is loaded; a function may import late what would be a circle."""
    graph = {}
    for path in MODULES:
        name = ".".join(["firth", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")
        tops = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
        graph[name] = {node.module for node in tops if node.module and node.module.startswith("firth.")}

    def reach(name, path=()):
        assert name not in path, f"circle: {' -> '.join([*path, name])}"
        for other in graph.get(name, ()):
            reach(other, (*path, name))

    for name in graph:
        reach(name)


def test_the_seam_reads_no_files_and_parses_no_options():
    for path in (SOURCE / "backends").glob("*.py"):
        assert not {"storage", "cache", "formats", "training"} & set(imported_parts(path)), path


@pytest.mark.parametrize("package", ["torch", "sklearn"])
def test_only_its_own_part_imports_an_optional_package(package):
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert part(path) == package or package not in {name.split(".")[0] for name in names}, path


def test_without_pytorch_its_part_says_how_to_install_it():
    code = "import sys; sys.modules['torch'] = None; import firth.torch"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("firth.errors.MissingExtra: firth.torch needs the package torch")
    assert last.endswith("run: pip install 'firth[torch]'")


def test_the_exported_names_are_frozen():
    assert firth.__all__ == [
        "Callback",
        "CorpusOptions",
        "EncodedCorpus",
        "EvaluationOptions",
        "FirthError",
        "Graph",
        "GraphOptions",
        "NextItemOptions",
        "PhraseOptions",
        "Phrases",
        "Progress",
        "StopTraining",
        "TrainingOptions",
        "Vocabulary",
        "WalkOptions",
        "Word2Vec",
        "WordVectors",
        "__version__",
        "encoded_corpus",
        "estimate",
        "evaluate_analogies",
        "evaluate_next_items",
        "evaluate_similarity",
        "hold_out_sessions",
        "judge",
        "leave_last_out",
        "shrink",
        "stability",
        "to_arrow",
        "to_pandas",
        "weat",
    ]
    assert dir(firth) == sorted(firth.__all__)


@pytest.mark.parametrize("name", firth.__all__)
def test_every_exported_name_is_there(name):
    assert getattr(firth, name).__doc__


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(AttributeError, match=r"no attribute 'word2vec_'.*Word2Vec"):
        firth.word2vec_  # noqa: B018


def loaded_by(statement, names):
    """Which of the modules `names` a fresh interpreter has loaded after `statement`."""
    code = f"{statement}; import sys; print(*(name for name in {names!r} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_importing_firth_loads_nothing_heavy():
    assert not loaded_by("import firth", ["numba", "torch", "pyarrow", "scipy", "matplotlib", "numpy", "rich"])


def test_importing_the_trainer_loads_only_what_training_needs():
    optional = ["pyarrow.dataset", "matplotlib", "torch", "ray", "tokenizers", "fsspec", "typer", "firth.cli"]
    assert not loaded_by("import firth.word2vec", optional)


def test_training_on_the_command_line_loads_neither_scipy_s_statistics_nor_pandas(tmp_path):
    """pyarrow would load any pandas that it can find: here it finds one."""
    (tmp_path / "pandas.py").write_text("__version__ = '2.2.0'\n")
    (tmp_path / "text.txt").write_text("a b c\n" * 9)
    code = f"""import sys
sys.path.insert(0, {str(tmp_path)!r})
sys.argv = ["firth", "train", {str(tmp_path / "text.txt")!r}, "-o", {str(tmp_path / "m.safetensors")!r},
            "--min-count", "1", "--sample", "0", "--json", "--no-cache"]
from firth.cli import main
try:
    main()
except SystemExit as done:
    assert not done.code
print(*(name for name in ("pandas", "scipy.stats", "matplotlib", "torch") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [""]


def test_pictures_load_what_draws_them_at_use():
    optional = ["matplotlib", "plotly", "sklearn", "umap", "numba", "scipy"]
    assert not loaded_by("import firth.visualise", optional)


def test_opening_vectors_compiles_nothing():
    assert not loaded_by("from firth import WordVectors", ["numba", "llvmlite", "torch", "matplotlib"])


def test_only_the_kernels_of_the_gpu_import_triton():
    for path in MODULES:
        tops = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Import)]
        names = {name.name.split(".")[0] for node in tops for name in node.names}
        assert path.name.startswith("gpu_") or "triton" not in names, path

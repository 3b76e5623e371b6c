"""gensim's own tests of its Word2Vec, FastText, KeyedVectors and Phrases, run against firth.gensim.

    python benchmarks/gensim_suite.py [NAME ...]      # such as test_phrases, or test_word2vec.TestWMD

The tests are those of the installed gensim, taken at run time, with the modules that firth stands in for exchanged in
memory; all else that they import stays gensim's. Needs gensim and testfixtures (`pip install --group bench`). Prints
each test that fails and the reason, and the totals; tests that open pickles, or test what
is not exchanged, are named below and counted apart. The exit status says whether as many pass as docs/gensim.md claims.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import logging
import struct
import sys
import tempfile
import types
import unittest
import warnings
from collections.abc import Iterable
from pathlib import Path

import gensim
import gensim.models
import gensim.test.utils

import firth.gensim.models

MODULES = ("test_keyedvectors", "test_word2vec", "test_fasttext", "test_phrases")
LEAST = {
    "test_keyedvectors": 0.95,
    "test_word2vec": 0.90,
    "test_fasttext": 0.70,
    "test_phrases": 0.90,
}  # of those that are not set apart
EXCHANGED = ("word2vec", "keyedvectors", "fasttext", "phrases", "callbacks")
LENT = {"fasttext": ("_unpack",)}  # what tests import from there, and firth has no use for
OLD_MODEL, NEW_MODEL = "lee_fasttext.bin", "lee_fasttext_new.bin"  # the first in fastText's format of 2016, not read
OLD_VERSION, NEW_VERSION = (struct.pack("<2i", 793712314, version) for version in (11, 12))

PICKLED = "opens a file that gensim pickled; nothing is unpickled"
COMPILED = "tests gensim's own compiled code, reader or script, which the exchange does not reach: it says nothing here"
APART = {
    "test_keyedvectors.Gensim320Test.test": PICKLED,
    "test_word2vec.TestWord2VecModel.test_load_old_model": PICKLED,
    "test_word2vec.TestWord2VecModel.test_load_old_model_separates": PICKLED,
    "test_word2vec.TestWord2VecModel.test_load_old_models_1_x": PICKLED,
    "test_word2vec.TestWord2VecModel.test_load_old_models_2_x": PICKLED,
    "test_word2vec.TestWord2VecModel.test_load_old_models_3_x": PICKLED,
    "test_word2vec.TestWord2VecModel.test_persistence_backwards_compatible": PICKLED,
    "test_word2vec.TestWord2VecScripts.test_word2vec_stand_alone_script": COMPILED,
    "test_word2vec.TestWord2VecSentenceIterators.test_cython_line_sentence_works_with_filename": COMPILED,
    "test_fasttext.HashCompatibilityTest.test_compatibility_true": PICKLED,
    "test_fasttext.FTHashFunctionsTest.test_cython": COMPILED,
    "test_fasttext.NgramsTest.test_bytes_cy": COMPILED,
    "test_fasttext.NgramsTest.test_fb": COMPILED,
    "test_fasttext.NgramsTest.test_text_cy": COMPILED,
    "test_fasttext.NgramsTest.test_text_cy_wide_unicode": COMPILED,
    "test_fasttext.TestFromfile.test_compressed": COMPILED,
    "test_fasttext.TestFromfile.test_decompressed": COMPILED,
    "test_fasttext.UnicodeVocabTest.test_ascii": COMPILED,
    "test_fasttext.UnicodeVocabTest.test_bad_unicode": COMPILED,
    "test_fasttext.UnpackTest.test_identity": COMPILED,
    "test_fasttext.UnpackTest.test_sanity": COMPILED,
    "test_fasttext.UnpackTest.test_tricky": COMPILED,
    "test_phrases.TestPhrasesPersistence.test_save_load_no_common_terms": PICKLED,
    "test_phrases.TestPhrasesPersistence.test_save_load_no_scoring": PICKLED,
    "test_phrases.TestPhrasesPersistence.test_save_load_string_scoring": PICKLED,
    "test_phrases.TestFrozenPhrasesPersistence.test_save_load_no_common_terms": PICKLED,
    "test_phrases.TestFrozenPhrasesPersistence.test_save_load_no_scoring": PICKLED,
    "test_phrases.TestFrozenPhrasesPersistence.test_save_load_string_scoring": PICKLED,
    "test_phrases.TestFrozenPhrasesModelCompatibility.test_compatibility": PICKLED,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=MODULES, help="modules, classes or tests; all if none is given")
    parser.add_argument("--traces", action="store_true", help="show where each failure comes from")
    arguments = parser.parse_args()
    logging.disable(logging.NOTSET)
    warnings.simplefilter("ignore")
    exchange()
    enough = True
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # where some tests leave files
        tempfile.tempdir = folder
        for module in dict.fromkeys(name.partition(".")[0] for name in arguments.names):
            names = [name for name in arguments.names if name.partition(".")[0] == module]
            enough &= run(load(module), names, traces=arguments.traces)
    sys.exit(not enough)


def exchange() -> None:
    """Put firth's modules in the places of gensim's, for all that is imported from now on."""
    for name, lent in LENT.items():
        theirs = importlib.import_module(f"gensim.models.{name}")
        for each in lent:
            setattr(getattr(firth.gensim.models, name), each, getattr(theirs, each))
    for name in EXCHANGED:
        ours = getattr(firth.gensim.models, name)
        sys.modules[f"gensim.models.{name}"] = ours
        setattr(gensim.models, name, ours)
    for name in ("Word2Vec", "FastText", "KeyedVectors", "Phrases"):
        setattr(gensim.models, name, getattr(firth.gensim.models, name))


def load(name: str) -> types.ModuleType:
    """One of gensim's test modules, anew."""
    path = Path(gensim.__file__).parent / "test" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    if name == "test_fasttext":
        module.datapath = of_today
    return module


def of_today(name: str) -> str:
    """The path of a file that tests open; of a fastText model in version 11, whose layout is 12's, a copy in that."""
    path = Path(gensim.test.utils.datapath(NEW_MODEL if name == OLD_MODEL else name))
    if not path.is_file() or not (whole := path.read_bytes()).startswith(OLD_VERSION):
        return str(path)
    copy = Path(tempfile.gettempdir()) / path.name
    copy.write_bytes(NEW_VERSION + whole[len(NEW_VERSION) :])
    return str(copy)


class Results(unittest.TestResult):
    """Who passed, and who failed of what."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: list[str] = []
        self.failed: dict[str, tuple[str, str]] = {}

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Note a test that passed."""
        self.passed.append(test.id())

    def addFailure(self, test: unittest.TestCase, err: tuple) -> None:  # noqa: N802
        """Note a test that failed, or raised something."""
        text = str(err[1]).strip() or "no message"
        self.failed[test.id()] = f"{err[0].__name__}: {text.splitlines()[0][:160]}", self._exc_info_to_string(err, test)

    addError = addFailure  # noqa: N815


def _of(module: types.ModuleType, tests: Iterable[unittest.TestCase | unittest.TestSuite]) -> list[unittest.TestCase]:
    """The tests that a module defines, without those that it imports to take parts of."""
    found: list[unittest.TestCase] = []
    for each in tests:
        if isinstance(each, unittest.TestSuite):
            found += _of(module, each)
        elif type(each).__module__ == module.__name__:
            found.append(each)
    return found


def run(module: types.ModuleType, names: list[str], *, traces: bool) -> bool:
    """Run a module's tests, or those named; tell what failed, and give whether enough passed."""
    loader = unittest.TestLoader()
    suites = [
        loader.loadTestsFromModule(module)
        if name == module.__name__
        else loader.loadTestsFromName(name.partition(".")[2], module)
        for name in names
    ]
    results = Results()
    unittest.TestSuite(_of(module, suites)).run(results)
    apart = sorted({*results.passed, *results.failed} & APART.keys())
    passed = [name for name in results.passed if name not in APART]
    failed = {name: what for name, what in results.failed.items() if name not in APART}
    for name, (reason, trace) in failed.items():
        print(f"failed  {name}\n        {reason}")
        if traces:
            print(trace)
    for name in apart:
        print(f"apart   {name}\n        {APART[name]}")
    counted = len(passed) + len(failed)
    share = len(passed) / max(counted, 1)
    print(
        f"{module.__name__}: {len(passed)} of {counted} passed ({share:.1%}), {len(failed)} failed, "
        f"{len(apart)} set apart, {len(results.skipped)} skipped\n"
    )
    return share >= LEAST[module.__name__]


if __name__ == "__main__":
    main()

"""What all tests share."""

import contextlib
import os
import signal

import pytest
from hypothesis import settings

from firth.cache import cache_folder
from firth.cli import main

# No deadline: the first example may have to compile what it calls. The same examples at every run of CI.
settings.register_profile("firth", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("firth")

# A shell starts with Ctrl-C ignored what it runs in the background, and some tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def cache_of_the_session(tmp_path_factory):
    """Encoded corpora go to a folder of this session; compiled kernels stay where they last between sessions."""
    folder = tmp_path_factory.mktemp("cache")
    compiled = cache_folder() / "compiled"
    with contextlib.suppress(OSError):  # where no link can be made, processes that tests start compile anew
        compiled.mkdir(parents=True, exist_ok=True)
        (folder / "compiled").symlink_to(compiled, target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRTH_CACHE", str(folder))
        yield folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache for encoded corpora, this test's alone; gives the folder that they stand in."""
    monkeypatch.setenv("FIRTH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "corpora"


@pytest.fixture
def run(capsys, monkeypatch):
    """Call `firth` with arguments; gives (exit status, standard output, standard error)."""

    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["firth", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        return stopped.value.code, printed.out, printed.err

    return call

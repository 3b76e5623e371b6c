"""Published sets, fetched from where they lie and checked against the SHA-256 of what was published.

The addresses name a revision that does not change, or a file that has not in a decade; a file with other bytes is an
error, and never kept. What was fetched once is read from the cache folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from firth.cache import cache_folder
from firth.errors import BadFile, BadOption, CannotWrite, MissingFile, optional

if TYPE_CHECKING:
    from firth.storage import AnyPath

GENSIM = "https://raw.githubusercontent.com/piskvorky/gensim"
PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Published:
    """A set that can be fetched: its file's name, address and checksum, and who made it."""

    file: str
    address: str
    sha256: str
    source: str


PUBLISHED: Mapping[str, Published] = {
    "google": Published(
        "questions-words.txt",
        "https://raw.githubusercontent.com/tmikolov/word2vec/master/questions-words.txt",
        "8c29b3332afc46f3fb8be04cb5297bf96f39aa7131272dff57869b4485b22a36",
        "Mikolov et al. 2013, analogies",
    ),
    "ws353": Published(
        "wordsim353.tsv",
        f"{GENSIM}/a97b67942a0a3656337d394e1cfb8b8df3c78268/gensim/test/test_data/wordsim353.tsv",
        "f92a022fc2537793a15bc3a8c162ebcd74990e033a228bb6388cb71e4c0b1e1d",
        "Finkelstein et al. 2002, relatedness",
    ),
    "simlex999": Published(
        "simlex999.txt",
        f"{GENSIM}/746b40ef0bb09b65c888e0a559d9e2982111f088/gensim/test/test_data/simlex999.txt",
        "d5e0501971478a511430ee880bd0121e94ac701ba86d90544d83e6d2ba3db05d",
        "Hill et al. 2015, similarity",
    ),
}


def published_set(name: str, folder: AnyPath | None = None, *, sets: Mapping[str, Published] = PUBLISHED) -> Path:
    """The file of a published set, fetched into `folder` (the cache's, if not given) unless it is there already.

    Raises:
        BadOption: no set goes by this name.
        MissingExtra: the package pooch is not installed.
        MissingFile: the address cannot be reached, or breaks off.
        BadFile: what lies there has another checksum; nothing is kept.
        CannotWrite: the folder may not be written.
    """
    if name not in sets:
        raise BadOption(f"no published set is called {name!r}; there are {', '.join(sets)}; others are given as files")
    one = sets[name]
    pooch = optional("pooch", extra="sets", purpose="fetching published sets")
    from requests import RequestException  # which pooch depends on

    pooch.get_logger().setLevel("WARNING")
    try:
        found = pooch.retrieve(
            one.address,
            known_hash=f"sha256:{one.sha256}",
            fname=one.file,
            path=cache_folder() / "sets" if folder is None else Path(folder),
            downloader=pooch.HTTPDownloader(timeout=PATIENCE_SECONDS),
        )
    except ValueError as error:
        raise BadFile(
            f"{one.address} has other bytes than {name} had when published (SHA-256 {one.sha256}); nothing is kept; "
            "fetch the set by hand, look at it, and give its path"
        ) from error
    except RequestException as error:
        raise MissingFile(
            f"cannot fetch {name} from {one.address}: {error}; look at the connection, or fetch the set by hand and "
            "give its path"
        ) from error
    except OSError as error:
        raise CannotWrite(f"cannot keep {name}: {error}; choose a folder that may be written") from error
    return Path(found)

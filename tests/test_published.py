"""Published sets are fetched with the real pooch, from a server of this process."""

import hashlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from firth.errors import BadFile, BadOption, CannotWrite, MissingExtra, MissingFile
from firth.evaluate.published import PUBLISHED, Published, published_set

DATA = b"man\tking\t3\n" * 1000


class Server(BaseHTTPRequestHandler):
    """/whole gives the data, /half promises as much and gives half of it; others are not there."""

    def do_GET(self):
        self.server.asked.append(self.path)
        known = self.path in ("/whole", "/half")
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(DATA) if known else 0))
        self.end_headers()
        if known:
            self.wfile.write(DATA if self.path == "/whole" else DATA[: len(DATA) // 2])

    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture
def server():
    pytest.importorskip("pooch", reason="pooch is not installed: pip install 'firth[sets]'")
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        running.asked = []
        thread = threading.Thread(target=running.serve_forever, args=[0.01])
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def at(server, path, data=DATA):
    address = f"http://127.0.0.1:{server.server_address[1]}{path}"
    return {"made": Published("made.tsv", address, hashlib.sha256(data).hexdigest(), "made up")}


def test_a_set_is_fetched_once_and_checked(server, tmp_path):
    path = published_set("made", tmp_path / "kept", sets=at(server, "/whole"))
    assert path == tmp_path / "kept" / "made.tsv"
    assert path.read_bytes() == DATA
    assert published_set("made", tmp_path / "kept", sets=at(server, "/whole")) == path
    assert server.asked == ["/whole"]


def test_a_file_that_was_changed_on_the_disk_is_fetched_anew(server, tmp_path):
    (tmp_path / "made.tsv").write_bytes(b"changed")
    assert published_set("made", tmp_path, sets=at(server, "/whole")).read_bytes() == DATA


def test_sets_go_to_the_cache_folder(server, tmp_path, monkeypatch):
    monkeypatch.setenv("FIRTH_CACHE", str(tmp_path))
    assert published_set("made", sets=at(server, "/whole")) == tmp_path / "sets" / "made.tsv"


def test_other_bytes_are_refused_and_not_kept(server, tmp_path):
    with pytest.raises(BadFile, match="other bytes than made had when published"):
        published_set("made", tmp_path, sets=at(server, "/whole", DATA + b"more"))
    assert list(tmp_path.iterdir()) == []


def test_half_a_file_is_refused_and_not_kept(server, tmp_path):
    with pytest.raises((BadFile, MissingFile), match="made"):
        published_set("made", tmp_path, sets=at(server, "/half"))
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_is_not_there_is_told(server, tmp_path):
    with pytest.raises(MissingFile, match=r"cannot fetch made from http://127.0.0.1:\d+/nowhere: 404"):
        published_set("made", tmp_path, sets=at(server, "/nowhere"))


def test_no_server_is_told(server, tmp_path):
    sets = at(server, "/whole")
    server.shutdown()
    server.server_close()
    with pytest.raises(MissingFile, match=r"cannot fetch made from .*look at the connection"):
        published_set("made", tmp_path, sets=sets)


def test_a_folder_that_cannot_be_written_is_told(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot keep made"):
        published_set("made", tmp_path / "file" / "inside", sets=at(server, "/whole"))


def test_an_unknown_name_is_told_with_those_there_are():
    with pytest.raises(BadOption, match="no published set is called 'googel'; there are google, ws353, simlex999"):
        published_set("googel")


def test_without_pooch_it_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtra, match=r"needs the package pooch.*pip install 'firth\[sets\]'"):
        published_set("google", tmp_path)


def test_addresses_and_checksums_are_whole():
    for each in PUBLISHED.values():
        assert each.address.startswith("https://")
        assert each.address.endswith(f"/{each.file}")
        assert len(bytes.fromhex(each.sha256)) == 32


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_checksums_are_those_of_the_files_that_gensim_s_package_brings(name):
    utils = pytest.importorskip("gensim.test.utils", reason="gensim is not installed")
    data = Path(utils.datapath(PUBLISHED[name].file)).read_bytes()
    assert hashlib.sha256(data).hexdigest() == PUBLISHED[name].sha256

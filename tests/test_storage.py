"""Files are replaced whole or not at all."""

import errno
import gzip
import os
import stat
from pathlib import Path

import pytest

import firth
from firth.errors import BadFile, CannotRead, CannotWrite, MissingFile
from firth.storage import mapped, opened, replaced, replaced_folder, replaced_packed


def left_behind(folder):
    return [each.name for each in folder.iterdir() if each.name.startswith(".firth-")]


def fail_after(_, failure):
    raise failure


class NoSpace:
    """A file on a full disk."""

    def __init__(self, file):
        self.file = file

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, *_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_is_written_stands_under_the_name(tmp_path):
    with replaced(tmp_path / "a") as file:
        file.write(b"new")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").read_bytes() == b"new"
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, failure):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(failure), replaced(path) as file:
        fail_after(file.write(b"new"), failure)
    assert path.read_bytes() == b"old"
    assert left_behind(tmp_path) == []


def test_a_full_disk_is_told_with_its_remedy(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with (
        pytest.raises(CannotWrite, match=r"a: no space left on device; free some space"),
        replaced(path) as file,
    ):
        NoSpace(file).write(b"new")
    assert path.read_bytes() == b"old"
    assert left_behind(tmp_path) == []


def test_a_disk_found_full_only_when_flushed_is_told_too(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="no space left"), replaced(tmp_path / "a") as file:
        file.write(b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_told_with_its_remedy(tmp_path):
    with pytest.raises(CannotWrite, match="create the folder first"), replaced(tmp_path / "none" / "a"):
        pass


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(CannotWrite, match="not a directory"), replaced(tmp_path / "a" / "b"):
        pass


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(CannotWrite, match="it is a folder; give the name of a file"), replaced(tmp_path):
        pass


def test_a_device_is_not_replaced():
    with pytest.raises(CannotWrite, match="not a regular file"), replaced(os.devnull):
        pass
    assert Path(os.devnull).is_char_device()


def test_a_name_too_long_is_told(tmp_path):
    with pytest.raises(CannotWrite, match="shorter name"), replaced(tmp_path / ("a" * 300)) as file:
        file.write(b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640)])
def test_a_new_file_has_the_usual_permissions(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with replaced(tmp_path / "a"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_replaced_file_keeps_its_permissions(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o600)
    with replaced(tmp_path / "a"):
        pass
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_followed(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    with replaced(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_gz_is_packed_and_unpacked_by_its_name(tmp_path):
    with replaced_packed(tmp_path / "a.gz") as file:
        file.write(b"text")
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"text"
    with opened(tmp_path / "a.gz") as file:
        assert file.read() == b"text"


@pytest.mark.parametrize("data", [b"plain", gzip.compress(b"text" * 99)[:-9], gzip.compress(b"text")[:-4] + b"1234"])
def test_broken_gz_is_told(tmp_path, data):
    (tmp_path / "a.gz").write_bytes(data)
    with pytest.raises(BadFile, match="not whole gzip data"), opened(tmp_path / "a.gz") as file:
        file.read()


@pytest.mark.parametrize("name", ["none", "", "null\0byte"])
def test_what_cannot_be_read_is_missing(tmp_path, name):
    with pytest.raises(MissingFile, match=r"cannot read .*; check the path"), opened(f"{tmp_path}/{name}"):
        pass


# ---- folders ----------------------------------------------------------------------------------------


def test_a_disk_that_fails_at_once_is_told(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(CannotRead, match=r"reading .*a failed: input/output error"), opened(tmp_path / "a"):
        pass


def test_what_cannot_be_mapped_is_told():
    with opened(os.devnull) as file, pytest.raises(CannotRead, match=f"map {os.devnull} into memory: .+; copy it"):
        mapped(file, os.devnull)


def test_a_folder_takes_the_place_of_the_one_before(tmp_path):
    for text in ("old", "new"):
        with replaced_folder(tmp_path / "f", ["a", "b"]) as folder:
            (folder / ("a" if text == "old" else "b")).write_text(text)
    assert [(each.name, each.read_text()) for each in (tmp_path / "f").iterdir()] == [("b", "new")]
    assert [each.name for each in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no space"), BadFile("wrong"), KeyboardInterrupt()])
def test_a_folder_that_is_not_finished_leaves_the_one_before(tmp_path, error):
    with replaced_folder(tmp_path / "f", ["a"]) as folder:
        (folder / "a").write_text("old")

    def fails():
        with replaced_folder(tmp_path / "f", ["a"]) as folder:
            (folder / "a").write_text("new")
            raise error

    with pytest.raises(CannotWrite if type(error) is OSError else type(error)):
        fails()
    assert (tmp_path / "f" / "a").read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["f"]


def test_a_folder_that_cannot_take_its_place_leaves_the_one_before(tmp_path, monkeypatch):
    with replaced_folder(tmp_path / "f", ["a"]) as folder:
        (folder / "a").write_text("old")
    rename = Path.rename

    def refused(self, target):
        if self.suffix == ".tmp":
            raise OSError(errno.EACCES, "refused")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(CannotWrite, match="refused"), replaced_folder(tmp_path / "f", ["a"]):
        pass
    assert (tmp_path / "f" / "a").read_text() == "old"


def test_an_empty_name_is_told_and_is_not_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.txt").write_text("a b 1\nb c 2\n")
    vectors = firth.WordVectors(["a", "b"], [[1.0, 2.0], [2.0, 1.0]])
    for read in (
        firth.WordVectors.load,
        firth.Word2Vec.load,
        firth.Word2Vec().fit,
        firth.Phrases.load,
        firth.Graph.read,
        lambda path: firth.judge(vectors, path),
        lambda path: firth.evaluate_analogies(vectors, path),
    ):
        with pytest.raises(MissingFile, match="the name of a file must not be empty, got ''; give its path"):
            read("")
    for write in (vectors.save, lambda path: vectors.save(path, "glove"), lambda path: vectors.save(path, "hub")):
        with pytest.raises(CannotWrite, match="must not be empty"):
            write("")


def test_the_command_line_refuses_an_empty_name(run):
    for arguments in (("similar", "", "king"), ("train", "a.txt", "-o", ""), ("train", "a.txt", "--output=")):
        status, _, said = run(*arguments)
        assert (status, "nothing stands behind" in said, "Traceback" in said) == (2, True, False)
    assert "nothing stands behind --output: an empty name" in run("train", "a.txt", "--output=")[2]


def test_a_source_that_is_not_there_is_missing_also_where_the_target_is(tmp_path, run):
    (tmp_path / "there.safetensors").write_bytes(b"")
    for command in ("convert", "shrink"):
        status, _, said = run(command, tmp_path / "nowhere.txt", tmp_path / "there.safetensors")
        assert (status, "nowhere.txt: no such file" in said) == (2, True)

"""A cache that is read-only, or another user's: it serves what it has, and says what it has not."""

import errno
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.assets import cache as module
from nnrd.assets import fetch
from nnrd.assets.cache import Cache
from nnrd.assets.rows import AssetFile

NOBODY = 65534
CONTENT = b"content" * 100


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def package():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name in ("pkg/a", "pkg/b/c"):
            info = tarfile.TarInfo(name)
            info.size = len(CONTENT)
            archive.addfile(info, io.BytesIO(CONTENT))
    return data.getvalue()


PACKAGE = package()
URL = "https://example.org/a.bin"
ROW = AssetFile("x", "a.bin", URL, sha256(CONTENT), len(CONTENT), "own")
TREE = AssetFile("x", "t/", f"{URL}#pkg/", sha256(PACKAGE), len(PACKAGE), "own")
LOCAL = AssetFile("x", "l.bin", "file:l.bin", sha256(CONTENT), len(CONTENT), "own")
UNSUMMED = AssetFile("x", "l.bin", "file:l.bin")


@contextmanager
def without_rights(folder):
    """Be a user who may read, but not change, what is below a folder: root is made another."""
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
        return
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path in folders:
            path.chmod(0o755)


@pytest.fixture
def top():
    """A folder that all users may enter, with a cache in it and one's own folder."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "own").mkdir(mode=0o777)
    (folder / "own").chmod(0o777)
    (folder / "own/l.bin").write_bytes(CONTENT)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def cache(top):
    """The cache, with a file and a package."""
    found = Cache(top / "cache")
    for data in (CONTENT, PACKAGE):
        with found.workspace() as work:
            (work / "file").write_bytes(data)
            found.put(work / "file", sha256(data))
    return found


@pytest.mark.fault("a foreign cache serves what it has")
def test_it_serves_what_it_has(top, cache):
    before = sorted(cache.folder.rglob("*"))
    with without_rights(cache.folder):
        fetch.fetch([ROW, TREE, LOCAL], top / "own/out", cache, top / "own")
        fetch.fetch([UNSUMMED], top / "own/unsummed", cache, top / "own")
        names = {path.relative_to(top / "own/out").as_posix() for path in top.rglob("own/out/**/*")}
        assert {"a.bin", "t/a", "t/b/c", "l.bin"} < names
        fetch.fetch([ROW, TREE, LOCAL], top / "own/out", cache, top / "own")  # complete
    assert sorted(cache.folder.rglob("*")) == before


OTHER = b"other"
MISSING = {
    "a file": (AssetFile("x", "b.bin", URL, sha256(OTHER), 5, "own"), "cannot be written to"),
    "no sum": (AssetFile("x", "b.bin", URL), "cannot be written to"),
}


@pytest.mark.fault("a foreign cache has not")
@pytest.mark.parametrize("name", MISSING)
def test_what_it_has_not_is_one_line(top, cache, name):
    row, message = MISSING[name]
    with without_rights(cache.folder), pytest.raises(UserError, match=message) as error:
        fetch.fetch([ROW, row], top / "own/out", cache, top / "own")
    said = str(error.value)
    assert "\n" not in said and str(cache.folder) in said and "set NNRD_CACHE" in said
    assert {path.name for path in (top / "own").iterdir()} == {"l.bin"}


@pytest.mark.fault("a foreign cache with a rotten entry")
def test_a_rotten_entry_that_cannot_be_removed_is_not_served(top, cache):
    cache.entry(ROW.sha256).write_bytes(b"rotten")
    with without_rights(cache.folder), pytest.raises(UserError, match="cannot be written to"):
        fetch.fetch([ROW], top / "own/out", cache, top / "own")


@pytest.mark.fault("a cache without locks")
def test_a_file_system_without_locks_is_one_line(top, cache, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(module.fcntl, "flock", no_locks)
    with pytest.raises(UserError, match="No locks available; set NNRD_CACHE to a folder that can"):
        fetch.fetch([MISSING["a file"][0]], top / "own/out", cache, top / "own")
    fetch.fetch([ROW], top / "own/out", cache, top / "own")  # what it has needs no lock

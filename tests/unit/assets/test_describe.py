"""`nnrd describe-asset` makes rows that the fetch then takes."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.assets import describe, fetch
from nnrd.assets.cache import Cache
from nnrd.assets.rows import read_sheet
from nnrd.core import sheets
from nnrd.stages import describe_asset

SCRIPTS = Path(__file__).parents[3] / "scripts"
FILES = {
    "photos/a.jpg": b"a",
    "photos/b.jpg": b"bb",
    "photos/more/c.jpg": b"ccc",
    "photos/.hidden": b"h",
    "photos/.git/config": b"h",
    "my model.onnx": b"model",
    "[odd].bin": b"odd",
}
PACKED = {"pkg/data/a.txt": b"1", "pkg/data/b.txt": b"22", "pkg/data/x/c.txt": b"3", "pkg/d": b"4"}


@pytest.fixture
def base(tmp_path, monkeypatch):
    """A checkout with files, where the command runs."""
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    with tarfile.open(tmp_path / "pkg-1.tgz", "w:gz") as archive:
        for name, data in PACKED.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


# source → asset, and the files' names with what is in them; None: the package
FOUND = {
    "file:photos/a.jpg": ("a", {"a.jpg": b"a"}),
    "file:photos": (
        "photos",
        {"a.jpg": b"a", "b.jpg": b"bb", "more/c.jpg": b"ccc"},
    ),
    "file:photos/*.jpg": ("photos", {"a.jpg": b"a", "b.jpg": b"bb"}),
    "file:photos/*/*.jpg": ("photos", {"more/c.jpg": b"ccc"}),
    "file:photos/[b-z].jpg": ("photos", {"b.jpg": b"bb"}),
    "file:my model.onnx": ("my_model", {"my model.onnx": b"model"}),
    "file:[odd].bin": ("odd", {"[odd].bin": b"odd"}),
    "file:pkg-1.tgz#pkg/d": ("pkg-1", {"d": b"4"}),
    "file:pkg-1.tgz#pkg/data/*.txt": ("pkg-1", {"a.txt": b"1", "b.txt": b"22"}),
    "file:pkg-1.tgz#pkg/*/*.txt": ("pkg-1", {"data/a.txt": b"1", "data/b.txt": b"22"}),
    "file:pkg-1.tgz#pkg/data/": ("pkg-1", {"data/": None}),
}


@pytest.mark.parametrize("source", FOUND)
def test_rows_are_those_that_the_fetch_takes(base, cache, source):
    asset, files = FOUND[source]
    wanted = describe.Wanted(source, license="MIT")
    found = describe.describe(wanted, cache, Path())
    assert {(row.asset, row.license) for row in found} == {(asset, "MIT")}
    expected = {
        name: (base / "pkg-1.tgz").read_bytes() if d is None else d for name, d in files.items()
    }
    assert [row.file for row in found] == list(expected)
    for row, data in zip(found, expected.values(), strict=True):
        assert (row.sha256, row.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    describe.add_to(base / "mine.tsv", found)
    assert read_sheet(base / "mine.tsv") == found
    fetch.fetch(found, base / "out", cache, base)
    for name, data in files.items():
        assert (
            (base / "out" / name).is_dir()
            if data is None
            else ((base / "out" / name).read_bytes() == data)
        )


REFUSED = {
    "photos": "photos: write one of pypi, npm, deb, https, http, file before a colon",
    "ftp://a.org/x": "write one of",
    "file:none": "there is no such file",
    "file:none/*.jpg": "there is no such file",
    "file:photos/*.png": "no file in it",
    "file:pkg-1.tgz#pkg/none": "no member 'pkg/none'",
    "file:pkg-1.tgz#pkg/*.none": "has no such member",
    "file:my model.onnx#x": "broken or truncated archive",
    "https://[::1/x": "not an address",
    "http://example.org/x": "only https is downloaded",
    "pypi:foolbox#x": "must have the form pypi:NAME==VERSION",
}


@pytest.mark.parametrize("source", REFUSED)
def test_what_cannot_be_described_is_one_line(base, cache, source):
    with pytest.raises(UserError) as error:
        describe.describe(describe.Wanted(source), cache, Path())
    assert REFUSED[source] in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a#b", "a\tb", " a", "a\nb", "a\udcff"])
def test_a_name_that_cannot_stand_in_the_sheet(base, cache, name):
    (base / "odd").mkdir()
    (base / "odd" / name).write_bytes(b"x")
    (base / "mine.tsv").write_text("asset\tfile\tsource\tsha256\tbytes\tlicense\n")
    with pytest.raises(UserError, match="cannot stand in"):
        describe.add_to(
            base / "mine.tsv", describe.describe(describe.Wanted("file:odd"), cache, Path())
        )
    assert (base / "mine.tsv").read_text().count("\n") == 1
    assert not list(base.glob(".mine.tsv*"))


OPTIONS = {
    "names": ({"asset": "x-y", "file": "z.bin"}, None),
    "an asset's name": ({"asset": "x/y"}, "asset: 'x/y'"),
    "a file's name": ({"file": "../z"}, "file: '../z' is outside"),
    "one file's name for several": ({"file": "z"}, None),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_names_of_ones_own(base, cache, name):
    options, message = OPTIONS[name]
    wanted = describe.Wanted("file:photos/a.jpg", **options)
    if message:
        with pytest.raises(UserError, match=message):
            describe.describe(wanted, cache, Path())
        return
    (row,) = describe.describe(wanted, cache, Path())
    assert (row.asset, row.file) == (options.get("asset", "a"), options["file"])
    with pytest.raises(UserError, match="--file names a single one"):
        describe.describe(describe.Wanted("file:photos", **options), cache, Path())


def test_files_elsewhere_have_their_whole_path(base, cache, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "x.bin"
    other.write_bytes(b"x")
    (row,) = describe.describe(describe.Wanted(f"file:{other}"), cache, Path())
    assert row.source == f"file:{other}"
    (row,) = describe.describe(describe.Wanted(f"file:{base}/photos/a.jpg"), cache, Path())
    assert row.source == "file:photos/a.jpg"
    (base / "link").symlink_to(other.parent)  # a link stays the user's own word
    (row,) = describe.describe(describe.Wanted("file:link/x.bin"), cache, Path())
    assert row.source == "file:link/x.bin"


def command(*arguments):
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS), "NNRD_CACHE": "cache"}
    words = [sys.executable, "-m", "nnrd.cli", "describe-asset", *map(str, arguments)]
    return subprocess.run(words, env=environment, capture_output=True, text=True)


def test_the_command(base):
    shown = command("file:photos/*.jpg", "--asset", "mine", "--license", "CC0-1.0")
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[0] == "asset\tfile\tsource\tsha256\tbytes\tlicense"
    assert len(shown.stdout.splitlines()) == 3 and shown.stdout.count("\tCC0-1.0\n") == 2
    added = command("file:photos/a.jpg", "--sheet", "own/mine.tsv")
    assert (added.returncode, added.stdout) == (0, "")
    assert added.stderr == "own/mine.tsv: 1 rows of asset a added\n"
    again = command("file:photos/a.jpg", "--sheet", "own/mine.tsv")
    assert again.returncode == 1
    assert again.stderr == "error: own/mine.tsv: a/a.jpg is given twice\n"
    assert len((base / "own/mine.tsv").read_text().splitlines()) == 2


def test_several_at_once_lose_no_row(base):
    words = [sys.executable, "-m", "nnrd.cli", "describe-asset", "--sheet", "mine.tsv"]
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS), "NNRD_CACHE": "cache"}
    sources = ["file:photos/a.jpg", "file:photos/b.jpg", "file:my model.onnx", "file:[odd].bin"]
    running = [subprocess.Popen([*words, source], env=environment) for source in sources]
    assert [process.wait(60) for process in running] == [0] * len(sources)
    assert {row.source for row in read_sheet("mine.tsv")} == set(sources)


def test_what_a_sheet_holds_stays(base, cache):
    text = "# mine\nlicense\tbytes\tsource\tasset\tfile\tsha256\n\n# no more"
    (base / "mine.tsv").write_text(text)
    found = describe.describe(describe.Wanted("file:photos/a.jpg"), cache, Path())
    describe.add_to(base / "mine.tsv", found)
    written = (base / "mine.tsv").read_text()
    assert written.startswith(text + "\nunknown\t1\tfile:photos/a.jpg\ta\ta.jpg\t")
    assert read_sheet(base / "mine.tsv") == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("asset\tfile\tsource\tlicense\n", "column 'sha256' is missing"),
        ("model\tfamily\n", "unknown column 'model'"),
        ("asset\tfile\tsource\tsha256\tbytes\tlicense\nx\n", r":2: 'file' is missing"),
    ],
)
def test_another_sheet_is_not_touched(base, cache, text, message):
    (base / "mine.tsv").write_text(text)
    found = describe.describe(describe.Wanted("file:photos/a.jpg"), cache, Path())
    with pytest.raises(UserError, match=message):
        describe.add_to(base / "mine.tsv", found)
    assert (base / "mine.tsv").read_text() == text


def test_a_sheet_of_another_kind_can_be_added_to(tmp_path):
    row = {"dataset": "a", "task": "asr", "format": "coco", "annotations": "x", "items": 3}
    sheets.append(tmp_path / "d.tsv", "datasets", [row])
    sheets.append(tmp_path / "d.tsv", "datasets", [row | {"dataset": "b"}])
    assert [found["dataset"] for found in sheets.read(tmp_path / "d.tsv", "datasets")] == ["a", "b"]


def test_the_command_says_which_sources_there_are():
    assert all(f"{scheme}:" in describe_asset.SOURCE for scheme in ("file", "pypi", "npm", "deb"))


@pytest.mark.slow
def test_a_package_of_a_registry_is_described_and_kept(base, cache):
    wanted = describe.Wanted("pypi:foolbox==3.3.4#foolbox/data/imagenet_0[0-1]_*.jpg")
    found = describe.describe(wanted, cache, Path())
    assert [row.bytes for row in found] == [86225, 60981]
    assert found[0].sha256.startswith("28b7b933c8028c6e") and found[0].asset == "foolbox"
    assert all(cache.entry(row.sha256).is_file() for row in found)

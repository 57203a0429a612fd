"""Archives: what is taken out, and what is refused."""

import io
import shutil
import stat
import subprocess
import tarfile
import zipfile

import pytest

from nnrd import UserError
from nnrd.assets import bombs
from nnrd.assets.archives import extract

GOOD = {"pack/a.txt": b"alpha", "pack/deep/b.bin": bytes(range(256)) * 300}
MANY = 1 << 20


def make_zip(path, entries=(), compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in GOOD.items():
            archive.writestr(name, data)
        for name, kind in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (kind | 0o644) << 16
            archive.writestr(entry, b"target")
    return path


def make_tar(path, entries=(), mode="w:gz", start=""):
    with tarfile.open(path, mode) as archive:
        for name, data in GOOD.items():
            entry = tarfile.TarInfo(start + name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for name, kind in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            entry.linkname = "/etc/passwd"
            archive.addfile(entry)
    return path


KINDS = {
    "whl": make_zip,
    "stored.zip": lambda path: make_zip(path, compression=zipfile.ZIP_STORED),
    "tar": lambda path: make_tar(path, mode="w"),
    "tgz": make_tar,
    "tar.bz2": lambda path: make_tar(path, mode="w:bz2"),
    "tar.xz": lambda path: make_tar(path, mode="w:xz"),
    "dotted.tgz": lambda path: make_tar(path, start="./"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_wanted_members_are_written(tmp_path, kind):
    archive = KINDS[kind](tmp_path / f"x.{kind}")
    extract(archive, {"pack/deep/b.bin": tmp_path / "out/b"}, MANY)
    assert (tmp_path / "out/b").read_bytes() == GOOD["pack/deep/b.bin"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b"]


HOSTILE = {
    "zip absolute": (make_zip, "/etc/x", stat.S_IFREG, "absolute"),
    "zip drive": (make_zip, "C:\\x", stat.S_IFREG, "absolute"),
    "zip parent": (make_zip, "pack/../../x", stat.S_IFREG, "leads out"),
    "zip backslash parent": (make_zip, "..\\x", stat.S_IFREG, "leads out"),
    "zip symlink": (make_zip, "pack/x", stat.S_IFLNK, "link"),
    "zip device": (make_zip, "pack/x", stat.S_IFCHR, "device"),
    "zip pipe": (make_zip, "pack/x", stat.S_IFIFO, "device"),
    "tar absolute": (make_tar, "/etc/x", tarfile.REGTYPE, "absolute"),
    "tar parent": (make_tar, "pack/../../x", tarfile.REGTYPE, "leads out"),
    "tar symlink": (make_tar, "pack/x", tarfile.SYMTYPE, "link"),
    "tar hard link": (make_tar, "pack/x", tarfile.LNKTYPE, "link"),
    "tar character device": (make_tar, "pack/x", tarfile.CHRTYPE, "device"),
    "tar block device": (make_tar, "pack/x", tarfile.BLKTYPE, "device"),
    "tar pipe": (make_tar, "pack/x", tarfile.FIFOTYPE, "device"),
}


@pytest.mark.fault("hostile: an archive")
@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("wanted", ["pack/a.txt", "itself"])
def test_hostile_archive_is_refused(tmp_path, case, wanted):
    make, name, kind, reason = HOSTILE[case]
    archive = make(tmp_path / "x", [(name, kind)])
    wanted = name if wanted == "itself" else wanted
    with pytest.raises(UserError, match=reason) as error:
        extract(archive, {wanted: tmp_path / "out/a"}, MANY)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.fault("hostile: an archive cut short")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0, 0.02, 0.5, 0.9])
def test_truncated_archive_is_one_line(tmp_path, kind, share):
    archive = KINDS[kind](tmp_path / f"x.{kind}")
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match=r"x\.") as error:
        extract(archive, {"pack/deep/b.bin": tmp_path / "out/b"}, MANY)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize("kind", ["whl", "stored.zip", "tgz", "tar.bz2", "tar.xz"])
def test_altered_archive_is_refused_or_gives_the_right_bytes(tmp_path, kind):
    archive = KINDS[kind](tmp_path / f"x.{kind}")
    content = archive.read_bytes()
    for position in range(0, len(content), max(1, len(content) // 60)):
        altered = bytearray(content)
        altered[position] ^= 0xFF
        archive.write_bytes(altered)
        target = tmp_path / "out"
        try:
            extract(archive, {"pack/deep/b.bin": target}, MANY)
        except UserError as error:
            assert "\n" not in str(error)
            assert not target.exists()


@pytest.mark.fault("hostile: no archive")
@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x00" * 4096, b"PK\x03\x04"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UserError):
        extract(tmp_path / "x", {"a": tmp_path / "out"}, MANY)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_missing_member_names_the_nearest(tmp_path, make):
    archive = make(tmp_path / "x")
    with pytest.raises(UserError, match=r"no member 'pack/b.bin'; nearest: pack/deep/b.bin"):
        extract(archive, {"pack/b.bin": tmp_path / "out"}, MANY)
    with pytest.raises(UserError, match="no member 'pack'"):  # a folder is no member
        extract(archive, {"pack": tmp_path / "out"}, MANY)


@pytest.mark.fault("hostile: a member that is too large")
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_member_that_is_too_large_is_refused(tmp_path, make):
    archive = make(tmp_path / "x")
    with pytest.raises(UserError, match="more than 1000 bytes"):
        extract(archive, {"pack/deep/b.bin": tmp_path / "out"}, 1000)
    assert not (tmp_path / "out").exists()


def unpacks_to(make, size, **options):
    """Return what makes an archive with a member of so many zeros that nobody wants."""

    def made(path):
        make(path)
        if make is make_zip:
            with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("pack/a.txt", bytes(size))
            return path
        with tarfile.open(path, **options) as archive:
            entry = tarfile.TarInfo("zeros")
            entry.size = size
            archive.addfile(entry, io.BytesIO(bytes(size)))
        return path

    return made


def many(make):
    return lambda path: make(path, [(f"{n}", stat.S_IFREG) for n in range(60)])


def many_in_tar(path):
    return make_tar(path, [(f"{n}", tarfile.REGTYPE) for n in range(60)])


def told_at_length(path):
    """Write a tar whose first member is two MiB of what it tells of another."""
    with tarfile.open(path, "w:gz", pax_headers={"comment": "x" * (2 << 20)}):
        return path


def sparse(path):
    """Write a tar of 512 bytes that claims a file of 8 GiB without content."""
    entry = tarfile.TarInfo("pack/a.txt")
    entry.type, entry.size = tarfile.GNUTYPE_SPARSE, 0
    path.write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    return path


def compressed_by(method):
    return lambda path: make_zip(path, compression=method)


BOMBS = {
    "zip ratio": (unpacks_to(make_zip, 3 << 20), "unpacks to more than"),
    "tgz ratio": (unpacks_to(make_tar, 3 << 20, mode="w:gz"), "unpacks to more than"),
    "tar.bz2 ratio": (unpacks_to(make_tar, 3 << 20, mode="w:bz2"), "unpacks to more than"),
    "tar.xz ratio": (unpacks_to(make_tar, 3 << 20, mode="w:xz"), "unpacks to more than"),
    "zip count": (many(make_zip), "more than 50 members"),
    "tgz count": (many_in_tar, "more than 50 members"),
    "tar header": (told_at_length, "a header of 20971"),
    "tar sparse": (sparse, "sparse"),
    "zip bzip2": (compressed_by(zipfile.ZIP_BZIP2), "neither stored nor deflated"),
    "zip lzma": (compressed_by(zipfile.ZIP_LZMA), "neither stored nor deflated"),
}


@pytest.mark.fault("hostile: a bomb")
@pytest.mark.parametrize("case", BOMBS)
def test_bomb_is_refused(tmp_path, monkeypatch, case):
    monkeypatch.setattr(bombs, "MOST_AT_LEAST", 2 << 20)
    monkeypatch.setattr(bombs, "MOST_MEMBERS", 50)
    make, reason = BOMBS[case]
    with pytest.raises(UserError, match=reason) as error:
        extract(make(tmp_path / "x"), {"pack/a.txt": tmp_path / "out/a"}, 1 << 30)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.fault("hostile: an archive has a name twice")
@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_members_of_a_name_the_last_counts(tmp_path, make):
    """As for tar and unzip: what another tool has seen in the package is what is used."""
    make(tmp_path / "x")
    if make is make_zip:
        with zipfile.ZipFile(tmp_path / "x", "a") as archive:
            archive.writestr("./pack/a.txt", b"omega")
    else:
        KINDS["tar"](tmp_path / "x")
        with tarfile.open(tmp_path / "x", "a") as archive:
            entry = tarfile.TarInfo("./pack/a.txt")
            entry.size = 5
            archive.addfile(entry, io.BytesIO(b"omega"))
    extract(tmp_path / "x", {"pack/a.txt": tmp_path / "out"}, MANY)
    assert (tmp_path / "out").read_bytes() == b"omega"


@pytest.fixture
def make_deb(tmp_path):
    if not shutil.which("dpkg-deb"):
        pytest.skip("no dpkg-deb on this machine")

    def make(link=None):
        tree = tmp_path / "tree"
        (tree / "DEBIAN").mkdir(parents=True)
        control = "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n"
        (tree / "DEBIAN/control").write_text(control)
        (tree / "usr/share").mkdir(parents=True)
        (tree / "usr/share/a.txt").write_bytes(b"alpha")
        if link:
            (tree / link).symlink_to("/etc/passwd")
        command = ["dpkg-deb", "--build", "--root-owner-group", str(tree), str(tmp_path / "x.deb")]
        subprocess.run(command, check=True, capture_output=True)
        return tmp_path / "x.deb"

    return make


def test_deb_member(tmp_path, make_deb):
    archive = make_deb(link="usr/share/link")  # usual in Debian, harmless where not wanted
    extract(archive, {"usr/share/a.txt": tmp_path / "out"}, MANY)
    assert (tmp_path / "out").read_bytes() == b"alpha"


@pytest.mark.fault("hostile: a link in a Debian package")
def test_deb_link_is_refused(tmp_path, make_deb):
    with pytest.raises(UserError, match="not a plain file"):
        extract(make_deb(link="usr/share/link"), {"usr/share/link": tmp_path / "out"}, MANY)
    assert not (tmp_path / "out").exists()


@pytest.mark.fault("hostile: a bomb in a Debian package")
def test_deb_bomb_is_refused(tmp_path, make_deb, monkeypatch):
    monkeypatch.setattr(bombs, "MOST_AT_LEAST", 4096)
    monkeypatch.setattr(bombs, "MOST_TIMES", 1)
    with pytest.raises(UserError, match="unpacks to more than") as error:
        extract(make_deb(), {"usr/share/a.txt": tmp_path / "out"}, MANY)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.fault("hostile: a Debian package cut short")
def test_truncated_deb_is_one_line(tmp_path, make_deb):
    archive = make_deb()
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(UserError, match="broken or truncated") as error:
        extract(archive, {"usr/share/a.txt": tmp_path / "out"}, MANY)
    assert "\n" not in str(error.value)

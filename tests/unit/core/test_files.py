"""Files appear under their final name only when complete, and say when they were damaged."""

import contextlib
import errno
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.core import files
from nnrd.core.scratch import remove_left_below

SCRIPTS = Path(__file__).parents[3] / "scripts"


def test_file_appears_when_complete(tmp_path):
    with files.complete_file(tmp_path / "new/a.txt") as temporary:
        temporary.write_text("x")
        assert not (tmp_path / "new/a.txt").exists()
    assert (tmp_path / "new/a.txt").read_text() == "x"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("context", [files.complete_file, files.complete_folder])
def test_failure_leaves_what_was_there(tmp_path, context):
    (tmp_path / "a").write_text("old")
    with pytest.raises(ValueError, match="boom"), context(tmp_path / "a") as temporary:
        if temporary.is_dir():
            (temporary / "half").write_text("x")
        else:
            temporary.write_text("half")
        raise ValueError("boom")
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.fault("power cut: a name without its content")
@pytest.mark.parametrize("context", ["complete_file", "complete_folder", "complete_files"])
def test_what_gets_its_name_is_on_the_disk(tmp_path, monkeypatch, context):
    """What is not synchronised before it is renamed may be lost, and its new name not."""
    synced, out = {}, tmp_path / "out"

    def fsync(descriptor):
        file = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced[file.name] = file.read_text()
        assert not list(out.glob("*.txt")) and not out.is_file()

    monkeypatch.setattr(os, "fsync", fsync)
    with getattr(files, context)(out) as temporary:
        names = ["out"] if context == "complete_file" else ["a.txt", "b.txt"]
        for name in names:
            (temporary if name == "out" else temporary / name).write_text(name)
    assert synced == {name: name for name in names}


def test_a_disk_that_is_full_only_now_leaves_nothing(tmp_path, monkeypatch):
    def fsync(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError) as caught, files.complete_file(tmp_path / "a") as temporary:
        temporary.write_text("a")
    assert caught.value.filename == str(tmp_path / "a") and not list(tmp_path.iterdir())


def test_a_folder_that_is_replaced_is_never_half_there(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.txt").write_text("old")
    removed = []
    monkeypatch.setattr(
        "shutil.rmtree", lambda path, **options: removed.append(sorted(out.iterdir()))
    )
    with files.complete_folder(out) as folder:
        (folder / "new.txt").write_text("new")
    assert removed == [[out / "new.txt"]]


def test_folder_is_replaced_whole(tmp_path):
    for name in ("one", "two"):
        with files.complete_folder(tmp_path / "f") as temporary:
            (temporary / name).write_text(name)
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_files_that_belong_together_appear_together(tmp_path):
    (tmp_path / "old").write_text("old")
    for fails in (True, False):
        with contextlib.suppress(ValueError), files.complete_files(tmp_path) as folder:
            (folder / "one").write_text("1")
            assert not (tmp_path / "one").exists()
            if fails:
                raise ValueError
            (folder / "two").write_text("2")
        left = ["old"] if fails else ["old", "one", "two"]
        assert sorted(path.name for path in tmp_path.iterdir()) == left


def test_the_temporary_file_has_the_suffix_of_the_final_one(tmp_path):
    with files.complete_file(tmp_path / "a.tar.gz") as temporary:
        assert temporary.suffix == ".gz" and temporary.stat().st_size == 0


@pytest.mark.parametrize(
    "context", [files.complete_file, files.complete_folder, files.complete_files]
)
def test_an_error_of_the_disk_names_the_final_file(tmp_path, context):
    with pytest.raises(OSError, match="full") as caught, context(tmp_path / "a.bin"):
        raise OSError(28, "full")
    assert caught.value.filename == str(tmp_path / "a.bin")


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, files.complete_file(tmp_path / "a.bin"):
        (tmp_path / "read.bin").read_bytes()
    assert caught.value.filename == str(tmp_path / "read.bin")


@pytest.mark.fault("a process killed while it writes")
@pytest.mark.parametrize("context", ["complete_file", "complete_folder"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path, context, end):
    code = (
        "import sys, time; from nnrd.core import files\n"
        f"with files.{context}(sys.argv[1]) as temporary: print(1, flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.bin")]
    with subprocess.Popen(command, cwd=SCRIPTS, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(end)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a.bin.")
    with getattr(files, context)(tmp_path / "a.bin"):
        assert not left.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_what_a_living_process_writes_is_left_alone(tmp_path):
    """Whoever it is, on whichever machine: it holds a lock; and other names are not touched."""
    others = [".a.bin.notes", ".b.bin.partial-x"]
    for name in others:
        (tmp_path / name).mkdir()
    with files.complete_file(tmp_path / "a.bin") as living:
        with files.complete_file(tmp_path / "a.bin"):
            pass
        assert living.exists()
        assert remove_left_below(tmp_path) == [tmp_path / ".b.bin.partial-x"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.bin.notes", "a.bin"]


def test_nan_is_written_as_null(tmp_path):
    files.write_record(tmp_path / "a.json", {"a": [math.nan, 1.5], "b": (math.nan,)})
    assert files.read_record(tmp_path / "a.json") == {"a": [None, 1.5], "b": [None]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 5000, "not JSON"),  # more digits than Python reads
        (None, "no such file"),
        ("a folder", "is a folder"),
    ],
)
def test_unreadable_json_is_a_user_error(tmp_path, content, said):
    path = tmp_path / "a.json"
    if content == "a folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    for read in (files.read_json, files.read_record):
        with pytest.raises(UserError, match=said) as caught:
            read(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_record_comes_back_without_its_checksum(tmp_path):
    content = {"rows": [{"item": "ä", "size": 1}], "none": None, "big": 2**70, "f": 0.1 + 0.2}
    files.write_record(tmp_path / "a.json", content)
    assert files.read_record(tmp_path / "a.json") == content
    assert files.CHECKSUM in json.loads((tmp_path / "a.json").read_text())


DAMAGES = {
    "another number": lambda text: text.replace("17", "18"),
    "another name": lambda text: text.replace("item", "itam"),
    "a key more": lambda text: text.replace("{", '{"x": 1, ', 1),
    "another checksum": lambda text: text.replace('checksum": "', 'checksum": "0'),
    "no checksum": lambda text: text.replace("checksum", "checksun"),
    "a list": lambda text: f"[{text}]",
    "a number": lambda text: "17",
}


@pytest.mark.fault("a record altered")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_record_that_was_altered_is_refused(tmp_path, damage):
    path = tmp_path / "a.json"
    files.write_record(path, {"item": 17})
    path.write_text(DAMAGES[damage](path.read_text()))
    with pytest.raises(UserError, match=r"a\.json: damaged.*`nnrd check --repair`") as caught:
        files.read_record(path)
    assert "\n" not in str(caught.value)


def test_a_flipped_bit_in_a_record_is_never_another_value(tmp_path):
    path, content = tmp_path / "a.json", {"rows": [{"item": "a", "size": 1234, "time": 0.5}]}
    files.write_record(path, content)
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            assert files.read_record(path) == content  # white space became other white space
        except UserError as error:
            assert "a.json" in str(error) and "\n" not in str(error)
            refused += 1
    assert refused > 0.9 * len(whole)


def test_verified_files(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    expected = files.checksum(path)
    assert expected.startswith("ba7816bf8f01cfea")  # FIPS 180-2, appendix B.1
    files.verify(path, expected)
    assert files.read_verified(path, expected) == b"abc"
    for content, said in ((b"abd", "damaged"), (None, "no such file")):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        for read in (files.verify, files.read_verified):
            with pytest.raises(UserError, match=rf"a\.bin: {said}"):
                read(path, expected)


@pytest.mark.parametrize("existing", [False, True])
def test_files_that_belong_together_leave_nothing_where_they_fail(tmp_path, existing):
    folder = tmp_path / "out"
    if existing:
        folder.mkdir()
        (folder / "mine.txt").write_text("kept")
    with pytest.raises(ZeroDivisionError), files.complete_files(folder) as temporary:
        (temporary / "a.txt").write_text("half")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*.txt")] == ["mine.txt"] * existing
    assert folder.exists() is existing
    with files.complete_files(folder) as temporary:
        (temporary / "a.txt").write_text("whole")
    assert (folder / "a.txt").read_text() == "whole"

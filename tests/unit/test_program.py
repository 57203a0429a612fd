"""Files appear under their final name only when complete, and user errors are one line."""

import argparse
import errno
import math

import pytest

from nnrd import UserError
from nnrd.core import program


def test_file_appears_when_complete(tmp_path):
    with program.complete_file(tmp_path / "new/a.txt") as temporary:
        temporary.write_text("x")
        assert not (tmp_path / "new/a.txt").exists()
    assert (tmp_path / "new/a.txt").read_text() == "x"


@pytest.mark.parametrize("context", [program.complete_file, program.complete_folder])
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


def test_folder_is_replaced_whole(tmp_path):
    for name in ("one", "two"):
        with program.complete_folder(tmp_path / "f") as temporary:
            (temporary / name).write_text(name)
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["two"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UserError("x.png: not an image"), "error: x.png: not an image"),
        (OSError(errno.ENOSPC, "No space left on device", "out.bin"), "error: out.bin: No space"),
    ],
)
def test_user_errors_are_one_line(monkeypatch, error, said):
    monkeypatch.setattr("sys.argv", ["program"])

    def fail(_):
        raise error

    with pytest.raises(SystemExit) as caught:
        program.run(fail, argparse.ArgumentParser())
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)


def test_nan_is_written_as_null(tmp_path):
    program.write_json(tmp_path / "a.json", {"a": [math.nan, 1.5], "b": (math.nan,)})
    assert program.read_json(tmp_path / "a.json") == {"a": [None, 1.5], "b": [None]}


@pytest.mark.parametrize(("text", "said"), [("{", "not JSON"), (None, "no such file")])
def test_unreadable_json_is_a_user_error(tmp_path, text, said):
    if text is not None:
        (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=said):
        program.read_json(tmp_path / "a.json")

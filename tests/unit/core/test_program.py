"""The template of all programs: user errors are one line."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.core import program
from nnrd.core.options import json_object


class Stage:
    """Fails with an error."""

    def __init__(self, error=None):
        self.error, self.done = error, None

    def add_arguments(self, parser):
        parser.add_argument("--number", type=int, default=3)

    def main(self, args):
        if self.error:
            raise self.error
        self.done = args.number


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UserError("x.png: not an image"), "error: x.png: not an image"),
        (OSError(errno.ENOSPC, "No space left on device", "out.bin"), "error: out.bin: No space"),
        (OSError(errno.ENOSPC, "No space left on device"), "error: standard output: No space"),
        (UserError("a\nb.png\x1b: \u2028 not an image"), "error: a b.png :   not an image"),
        (MemoryError("256 GiB"), "error: not enough memory: 256 GiB"),
    ],
)
def test_user_errors_are_one_line(monkeypatch, error, said):
    monkeypatch.setattr("sys.argv", ["program"])
    with pytest.raises(SystemExit) as caught:
        program.run(Stage(error))
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)


@pytest.mark.fault("disk full: the log")
@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_full_disk_under_the_log_is_one_line(tmp_path, lines):
    """What is printed may fit the buffer, so that writing it fails at the end."""
    (tmp_path / "stage.py").write_text(
        "from nnrd.core import program\n"
        "class Stage:\n"
        "    def add_arguments(self, parser): pass\n"
        f"    def main(self, args): print('a line\\n' * {lines})\n"
        "program.run(Stage())\n"
    )
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, tmp_path / "stage.py"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.stderr == "error: standard output: No space left on device\n"
    assert done.returncode == 1


def test_a_mistake_in_the_options_is_one_line():
    class Other(Stage):
        def add_arguments(self, parser):
            parser.add_argument("--parameters", type=json_object)

    for text, said in (
        ("[" * 100_000, "not JSON"),
        ("[1]", "not a JSON object"),
        ("{", "not JSON"),
    ):
        with pytest.raises(SystemExit) as caught:
            program.run(Other(), ["--parameters", text])
        message = str(caught.value)
        assert message.startswith("error: ") and said in message and "\n" not in message
        assert len(message) < 200


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        program.run(Stage(ZeroDivisionError()), [])


def test_a_stage_gets_its_options(capsys):
    stage = Stage()
    program.run(stage, ["--number", "7"])
    assert stage.done == 7
    with pytest.raises(SystemExit):
        program.run(stage, ["--help"])
    assert "Fails with an error." in capsys.readouterr().out

"""The template of all programs: user errors are one line."""

import errno

import pytest

from nnrd import UserError
from nnrd.core import program


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
        (OSError(errno.ENOSPC, "No space left on device"), "error: disk: No space"),
    ],
)
def test_user_errors_are_one_line(monkeypatch, error, said):
    monkeypatch.setattr("sys.argv", ["program"])
    with pytest.raises(SystemExit) as caught:
        program.run(Stage(error))
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)


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

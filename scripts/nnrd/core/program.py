"""What every program in scripts/ and every subcommand of ``nnrd`` does around its stage."""

import argparse
import os
import sys
import traceback
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from nnrd.core import plug_ins
from nnrd.core.errors import UserError
from nnrd.core.extras import needed


class Stage(Protocol):
    """A module of `nnrd.stages`, or of what a program by hand does."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None:
        """Add the stage's options."""

    def main(self, args: argparse.Namespace, /) -> None:
        """Do the work."""


def run(stage: Stage, arguments: Sequence[str] | None = None, name: str | None = None) -> None:
    """Parse the command line and run a stage; ``name``: of the program, if not the file's.

    A UserError becomes one line on standard error and exit code 1; so do a package that an extra
    would bring and a full or read-only disk. Anything else is a defect and keeps its traceback,
    with one line below it where the defect is, or may be, a plug-in's.
    """
    parser = argparse.ArgumentParser(prog=name, description=stage.__doc__)
    stage.add_arguments(parser)
    with one_line_errors():
        stage.main(parser.parse_args(arguments))


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the process with one line where the block raises what a user can cause; see `run`."""
    try:
        with needed():
            yield
            sys.stdout.flush()
    except UserError as error:
        sys.exit(f"error: {_one_line(error)}")
    except OSError as error:
        # Files are written through nnrd.core.files, which names them; what is left has no name.
        where = error.filename or "standard output"
        _drop_output()
        sys.exit(f"error: {_one_line(where)}: {error.strerror or error}")
    except MemoryError as error:
        sys.exit(f"error: not enough memory: {_one_line(error)}")
    except BaseException as error:  # of a plug-in, which may end the program or be interrupted
        blamed = plug_ins.blamed(error)
        if blamed is None:
            raise
        traceback.print_exc()
        sys.exit(f"error: {_one_line(blamed)}")


def _drop_output() -> None:
    """Forget what cannot be printed: Python tries again when it ends, and says so at length."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(text: object) -> str:
    """Return a text without what would break its line: names of files may hold anything."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in str(text))

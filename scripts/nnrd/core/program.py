"""What every program in scripts/ and every subcommand of ``nnrd`` does around its stage."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

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
    would bring and a full or read-only disk. Anything else is a defect and keeps its traceback.
    """
    parser = argparse.ArgumentParser(prog=name, description=stage.__doc__)
    stage.add_arguments(parser)
    call(stage, parser.parse_args(arguments))


def call(stage: Stage, args: argparse.Namespace) -> None:
    """Run a stage on parsed options; see `run`."""
    with one_line_errors():
        stage.main(args)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the process with one line where the block raises what a user can cause; see `run`."""
    try:
        with needed():
            yield
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'disk'}: {error.strerror or error}")

"""What every program in scripts/ and every subcommand of ``nnrd`` does around its stage."""

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from nnrd.core.errors import UserError


class Stage(Protocol):
    """A module of `nnrd.stages`, or of what a program by hand does."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None:
        """Add the stage's options."""

    def main(self, args: argparse.Namespace, /) -> None:
        """Do the work."""


def run(stage: Stage, arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and run a stage.

    A UserError becomes one line on standard error and exit code 1; so does a full or
    read-only disk. Anything else is a defect and keeps its traceback.
    """
    parser = argparse.ArgumentParser(description=stage.__doc__)
    stage.add_arguments(parser)
    call(stage, parser.parse_args(arguments))


def call(stage: Stage, args: argparse.Namespace) -> None:
    """Run a stage on parsed options; see `run`."""
    try:
        stage.main(args)
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'disk'}: {error.strerror or error}")

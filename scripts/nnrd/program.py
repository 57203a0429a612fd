"""What every program in scripts/ does around its one library call."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nnrd.errors import UserError


def run(main: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser) -> None:
    """Parse the command line and call ``main``.

    A UserError becomes one line on standard error and exit code 1; so does a full or
    read-only disk. Anything else is a defect and keeps its traceback.
    """
    try:
        main(parser.parse_args())
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'disk'}: {error.strerror or error}")


@contextmanager
def complete_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` if the block succeeds.

    So a file under its final name is always complete, also after SIGKILL or a full disk.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; results are as readable as any other file.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def complete_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside ``path``; rename it if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            shutil.rmtree(path)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def add_timing_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a timed step is told of how it runs; `timed` writes it down."""
    parser.add_argument("--threads", type=int, default=1, help="compute threads or processes")
    parser.add_argument("--isolated", action="store_true", help="nothing else runs beside it")


def timed(args: argparse.Namespace, rows: Iterable[dict], provider: str | None = None) -> dict:
    """Return the rows of a timed step with how it ran, as `nnrd.records.merge` reads it."""
    ran = {"threads": args.threads, "isolated": args.isolated, "rows": list(rows)}
    return ran | ({"provider": provider} if provider else {})


def add_inference_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every step is told that makes predictions; `write_predictions` uses it."""
    parser.add_argument("--items", type=Path, required=True, help="the dataset's index")
    parser.add_argument("--shard", required=True, help="which part of it, e.g. 0-of-2")
    parser.add_argument("--predictions", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file of times to write")
    add_timing_arguments(parser)


def write_predictions(
    args: argparse.Namespace,
    results: Iterable[tuple[dict, dict]],
    provider: str,
    more: Iterable[dict] = (),
    **ran: Any,
) -> None:
    """Write pairs of a prediction and its row of times into two files, with how the step ran.

    ``more``: rows of times that no prediction belongs to, put first. Raises UserError where
    there are no results.
    """
    found = list(results)
    if not found:
        raise UserError(f"{args.items}: shard {args.shard} has no items")
    predictions, rows = zip(*found, strict=True)
    write_json(args.predictions, predictions)
    write_json(args.times, timed(args, [*more, *rows], provider) | ran)


def write_json(path: str | Path, value: Any) -> None:
    """Write a value as JSON, complete or not at all; NaN is written as null."""
    with complete_file(path) as temporary:
        temporary.write_text(json.dumps(without_nan(value), indent=1, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Return the value of a JSON file; UserError where it is missing or is not JSON."""
    try:
        return json.loads(Path(path).read_text())
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error})") from None
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None


def without_nan(value: Any) -> Any:
    """Return a value with every NaN replaced by None, which JSON can write."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and value != value else value


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

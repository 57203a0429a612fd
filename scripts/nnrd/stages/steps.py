"""What a timed step writes down: a row an item, how it ran, and what made it."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import read_record, write_record
from nnrd.core.progress import Count
from nnrd.runtime.environment import made_by

Rows = list[dict[str, Any]]
BUNDLE = "weights"  # the one item of a model's shard of tensors
# Options that name what a step reads, where it can be told by a sum in a record.
READ = ("split", "facts", "index", "calibration", "source", "encoded", "decoded", "reference")


def write_times(
    args: argparse.Namespace,
    path: Path,
    rows: Iterable[dict],
    said: Mapping[str, Any] | None = None,
    **ran: Any,
) -> None:
    """Write the rows of a step; ``ran`` are its settings, such as ``provider``.

    ``said``: what else is to be read in the file. With the sums of what it read and predicted.
    """
    how = {"threads": args.threads, "isolated": args.isolated} | ran | dict(said or {})
    predictions = getattr(args, "predictions", None)
    of = lineage.of([predictions] if predictions else [], given(args))
    write_record(path, how | {"made": made_by() | ran, "rows": list(rows)} | of)


def given(args: argparse.Namespace) -> list[Path]:
    """Return the records that a step was given, and that of the sums of its model's files."""
    named = [getattr(args, name, None) or [] for name in READ]
    files = [file for one in named for file in (one if isinstance(one, list) else [one])]
    return [*files, *fetched(args)]


def fetched(args: argparse.Namespace) -> list[Path]:
    """Return the records of the sums of a model's files and packages, where some were fetched."""
    folders = [getattr(args, name, None) for name in ("assets", "packages")]
    found = [lineage.beside(folder) for folder in folders if folder is not None]
    return [file for file in found if file.is_file()]


def write_predictions(
    args: argparse.Namespace,
    results: Iterable[tuple[dict[str, Any], dict[str, float]]],
    more: Iterable[dict] = (),
    **ran: Any,
) -> None:
    """Write predictions and their times into two files, ordered by item.

    ``results``: pairs of a prediction, with its item's name in ``item``, and its times. ``more``:
    rows of times that no prediction belongs to, put first. Raises UserError where there are none.
    """
    count = Count("items")
    found = []
    for prediction, seconds in results:
        found.append((prediction, {"item": prediction["item"]} | seconds))
        count.more()
    if not found:
        raise UserError(f"{args.index}: shard {args.shard} has no items")
    found.sort(key=lambda pair: pair[0]["item"])
    write_record(args.predictions, {"predictions": [prediction for prediction, _ in found]})
    write_times(args, args.times, [*more, *(row for _, row in found)], **ran)


def read_predictions(files: Iterable[Path]) -> Rows:
    """Return the predictions of all shards; UserError for a file that was altered."""
    return [row for file in files for row in read_record(file)["predictions"]]


def read_step(files: Iterable[Path]) -> dict[str, Any]:
    """Return a step's files, one a shard, joined: rows together, the rest must be equal.

    What made them may differ, where a cluster ran them: ``made`` is a list. Raises UserError
    where shards were made under other settings, or a file was altered.
    """
    joined: dict[str, Any] = {"rows": [], "made": []}
    for file in files:
        part = read_record(file)
        joined["rows"] += part.pop("rows")
        made = part.pop("made")
        part = {key: part[key] for key in part if key not in (lineage.INPUTS, lineage.FILES)}
        joined["made"] += [made] if made not in joined["made"] else []
        for key, value in part.items():
            if joined.setdefault(key, value) != value:
                reason = f"{joined[key]}, not {value}, in other shards"
                raise UserError(f"{file}: {key} is {value}: {reason}")
    return joined


def checksums(times: Path, folder: Path, suffix: str) -> Mapping[str, str]:
    """Return the checksum of each item's file that a step made in a folder, from its times.

    Raises UserError where the folder has other files.
    """
    found = {row["item"]: row["checksum"] for row in read_record(times)["rows"]}
    lineage.verify_names(folder, [f"{item}{suffix}" for item in found])
    return found


def say(text: str) -> None:
    """Write a line into the log."""
    print(text, file=sys.stderr, flush=True)

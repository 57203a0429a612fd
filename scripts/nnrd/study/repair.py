"""Make again what is damaged, missing or stale, and nothing that is whole."""

import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nnrd.core.files import checksum, read_record
from nnrd.study.check import WRONG, Check, Finding

# What paths of the steps have in them, in the order of the steps.
STEPS = (
    *("resources/", "results/datasets/", "results/models/", "results/split/", "/tensors/"),
    "/outputs/",
    *("/bitstreams/", "/graphs/", "/decoded/", "/predictions/", "results/anchor/", "/point.json"),
    *("results/tables/", "results/plots/"),
)
AT_ONCE = 500  # targets of one command line
MARK = ".snakemake_timestamp"  # whose time Snakemake takes for a folder's
Make = Callable[[Sequence[str]], None]


class Kept(NamedTuple):
    """A whole record as it was before the files beside it were made again."""

    content: bytes
    record: Mapping[str, Any]
    time: int  # nanoseconds


def repair(check: Check, findings: Iterable[Finding], make: Make) -> list[str]:
    """Make again what is wrong, then what was made from it where that came out differently.

    ``check`` has given the ``findings``; ``make`` runs the workflow for some files and folders,
    or, told of none, for whatever is older than what it is made from. Returns what was made
    again. A file that comes out as its record has it keeps the record and the time: what was
    measured stays, and nothing that is whole runs again.
    """
    made = list(dict.fromkeys(f.made for f in findings if f.state in WRONG and f.made))
    # Step by step, so that a step finds whole and of old what it is made from, and nothing between
    # two steps is thought outdated.
    for _, names in itertools.groupby(sorted(made, key=_step), _step):
        _make_again(check, list(names), make)
    make([])
    return made


def _step(name: str) -> int:
    """Return the place in STEPS of what a path is; behind all where it is none of them."""
    return next((place for place, part in enumerate(STEPS) if part in name), len(STEPS))


def _make_again(check: Check, made: Sequence[str], make: Make) -> None:
    beginning = time.time_ns()
    kept = {check.vouching.get(name) for name in made} - {None, *made}
    records = {name: _keep(check.folder / name) for name in kept if name}
    times = {name: _time(check.folder / name) for name in made}
    for name in made:
        _remove(check.folder / name)
    for start in range(0, len(made), AT_ONCE):
        make(made[start : start + AT_ONCE])
    again = Check(check.settings, check.folder)
    for name, record in records.items():
        if again.agrees(name, record.record):
            (check.folder / name).write_bytes(record.content)
            _set_back(again, name, record.time, beginning)
    for name, before in times.items():
        wanted = check.wanted.get(name, {}).values()
        if before and wanted and checksum(check.folder / name) in wanted:
            _set_back(again, name, before, beginning)


def _set_back(check: Check, name: str, when: int, beginning: int) -> None:
    """Give a file that came out as it was, and what it vouches for, their time, if made again."""
    files = check.agrees(name, read_record(check.folder / name)) if name.endswith(".json") else []
    folders = [folder for folder, record in check.vouching.items() if record == name]
    for path in dict.fromkeys([*files, *folders, name]):
        if (_time(check.folder / path) or 0) >= beginning:
            _set_time(check.folder / path, when)


def _keep(file: Path) -> Kept:
    return Kept(file.read_bytes(), read_record(file), file.stat().st_mtime_ns)


def _time(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None


def _set_time(path: Path, nanoseconds: int) -> None:
    for file in (path / MARK, path):
        if file.exists():
            os.utime(file, ns=(nanoseconds, nanoseconds))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

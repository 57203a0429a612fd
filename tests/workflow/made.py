"""What a run made, to be held against what another made: all of it but times."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas

from nnrd.core.scratch import PARTIAL

from .conftest import Checkout

SUMS = {"checksum", "inputs", "files", "results"}  # of what holds times
BY_CHANCE = ("_time", "threads")  # how long it took, and with how many cores that were free


def contents(checkout: Checkout, of: Callable[[Path], object]) -> dict[str, object]:
    """Return what is in all files that were made or fetched, as ``of`` reads it.

    Of what is half-written, the name alone. FileNotFoundError where a job renames it meanwhile.
    """
    folders = [checkout.folder / name for name in ("results", "resources")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    marks = ".snakemake_timestamp", "notes.txt"
    names = {str(p.relative_to(checkout.folder)): p for p in files if p.name not in marks}
    return {name: None if PARTIAL in name else of(path) for name, path in names.items()}


def without_times(file: Path) -> object:
    """Return what is in a file without the times, and without sums of what holds times."""
    if file.name.startswith("latency."):
        return "times"
    if file.suffix == ".json":
        return _without_times(json.loads(file.read_text()))
    if file.suffix == ".csv":
        table = pandas.read_csv(file)
        return table[[name for name in table if not name.endswith(BY_CHANCE)]].to_csv()
    return file.read_bytes()


def _without_times(value: object) -> object:
    if isinstance(value, list):
        return [_without_times(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {name for name in value if not name.endswith(BY_CHANCE)} - SUMS
    return {name: _without_times(value[name]) for name in kept}


def differences(ours: dict[str, object], theirs: dict[str, object]) -> list[str]:
    """Return the names of what is not the same, which says more than both in full."""
    return sorted(name for name in ours.keys() | theirs if ours.get(name) != theirs.get(name))


def temporary(checkout: Checkout) -> list[Path]:
    """Return what a run, or one that was killed, has half-written."""
    folders = [checkout.folder / name for name in ("results", "resources", "benchmarks")]
    return [path for folder in folders for path in folder.rglob(f".*{PARTIAL}*")]

"""The shipped studies against the tables and bitstreams of version 0.1.0.

``tests/data/golden`` was written by that version: ``points.csv`` without times, and a sum of the
bitstreams of each point. What differs on purpose is listed here.
"""

import csv
import hashlib
import json
from pathlib import Path

import pytest

from .conftest import ROOT, Checkout, copy_of_project

GOLDEN = ROOT / "tests/data/golden"
STUDIES = ("demo", "speech", "classification")
# The end of an interval is now the exact bound for 0 of n, where nothing changed on n items.
EXACT_BOUNDS = {"WER_difference_low", "WER_difference_high"}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which the shipped studies were run, as they are configured."""
    checkout = copy_of_project(tmp_path_factory.mktemp("golden"))
    done = checkout.run("--config", f"run=[{','.join(STUDIES)}]")
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


def rows(file: Path) -> dict[tuple, dict[str, str]]:
    with file.open() as lines:
        found = list(csv.DictReader(lines))
    names = ("study", "split", "codec", "parameters")
    return {tuple(row[name] for name in names): row for row in found}


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_tables_are_those_of_before(shipped, study):
    before, now = rows(GOLDEN / "points.csv"), rows(shipped.folder / "results/tables/points.csv")
    keys = [key for key in before if key[0] == study]
    assert len(keys) == {"demo": 61, "speech": 7, "classification": 6}[study]
    for key in keys:
        old, new = before[key], now[key]
        changed = {name for name in old if old[name] != new.get(name, "")}
        if all(old[name] == "0.0" for name in EXACT_BOUNDS):
            changed -= EXACT_BOUNDS
        assert not changed, {name: (old[name], new.get(name)) for name in changed}


@pytest.mark.slow
def test_bitstreams_are_those_of_before(shipped):
    results = shipped.folder / "results"
    for folder, expected in json.loads((GOLDEN / "bitstreams.json").read_text()).items():
        digest = hashlib.sha256()
        for file in sorted((results / folder).glob("*.bin")):
            digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
        assert digest.hexdigest()[:16] == expected, folder

"""Two runs from scratch make the same, times aside: all results, plots too, byte for byte."""

import os
import subprocess
from pathlib import Path

import pytest

from .conftest import Checkout, copy_of_project
from .made import contents, differences, without_times
from .test_environments import CONFIG

# What may change from one run to the next and must not matter.
OTHER = {
    "PYTHONHASHSEED": "12345",
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    "TZ": "Asia/Tokyo",
    "MPLCONFIGDIR": "matplotlib",
}


def made(folder: Path, cores: int, **env: str) -> Checkout:
    checkout = copy_of_project(folder)
    checkout.configure(CONFIG)
    done = subprocess.run(
        checkout.command("--cores", str(cores)), cwd=folder, env=os.environ | env,
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


@pytest.mark.slow(minutes=5)
def test_two_runs_from_scratch_are_the_same(tmp_path):
    """One has two cores and the cache that is here; the other one core, and fetches everything.

    Its folder, its hashes, its time zone and the threads that libraries would take differ, too.
    """
    ours = made(tmp_path / "a", 2, PYTHONHASHSEED="0")
    cold = tmp_path / "cache"
    theirs = made(tmp_path / "deep/er b", 1, NNRD_CACHE=str(cold), **OTHER)
    assert len(list((cold / "sha256").rglob("*"))) > 5
    found = contents(ours, without_times), contents(theirs, without_times)
    assert not differences(*found)
    assert sum(name.endswith((".png", ".pdf", ".svg")) for name in found[0]) >= 12

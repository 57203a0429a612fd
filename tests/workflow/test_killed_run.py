"""Snakemake itself is killed; the next ``make demo`` goes on by itself."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnrd.workflow.runs import MARK

from .conftest import CONFIG, copy_of_project
from .test_run import TIMES, deterministic_files, read_points


def recover(folder):
    command = [sys.executable, "scripts/recover_run.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)


def wait_for(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow(minutes=3)
def test_a_killed_run_is_recovered(finished, tmp_path):
    import pandas

    checkout = copy_of_project(tmp_path / "killed")
    checkout.configure(CONFIG)
    log = (tmp_path / "said.txt").open("w")
    run = subprocess.Popen(checkout.command(), cwd=checkout.folder, stdout=log, stderr=log)
    wait_for(lambda: list(checkout.folder.glob("logs/convert_model/*.log")))
    assert "runs this workflow already" in recover(checkout.folder).stderr
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    left = jobs_of(run.pid)
    assert left, "no job outlived Snakemake, so this test shows nothing"
    said = recover(checkout.folder)
    assert said.returncode == 0 and "was killed" in said.stdout, said
    assert not jobs_of(run.pid)
    again = checkout.run()
    assert again.returncode == 0, again.stdout + again.stderr
    assert recover(checkout.folder).stdout == ""
    assert deterministic_files(checkout) == deterministic_files(finished)
    for study in ("small", "weights"):
        ours, theirs = read_points(checkout, study), read_points(finished, study)
        pandas.testing.assert_frame_equal(ours.drop(columns=TIMES), theirs.drop(columns=TIMES))


def jobs_of(process):
    """Return the processes that this Snakemake started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "environ").read_text(errors="replace").split("\0")
        except OSError:
            continue
        if any(word.startswith(f"{MARK}=") and f":{process}:" in word for word in words):
            found.append(entry.name)
    return found

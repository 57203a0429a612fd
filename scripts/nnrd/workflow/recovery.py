"""Put right what a killed run left behind: its jobs, its temporary files, its lock."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.scratch import remove_left_below
from nnrd.workflow.runs import FILE, Run, last

PATIENCE = 10.0  # seconds that a job has to end by itself
FOLDERS = ("results", "resources", "benchmarks")  # where jobs write


def recover(folder: Path) -> Iterator[str]:
    """Yield, line by line, what is done in a folder whose last run was killed; else nothing.

    Raises UserError where a run is under way, here or perhaps on another machine.
    """
    run = last(folder)
    if run is None:
        return
    if not run.is_here:
        how = f"if it is none any more, there: make demo; or remove {FILE} and snakemake --unlock"
        raise UserError(f"a run of machine {run.host} (process {run.process}) is under way; {how}")
    if run.is_alive:
        raise UserError(f"process {run.process} runs this workflow already: wait, or end it")
    yield f"the last run (process {run.process}) was killed:"
    yield f"  {_stop(run)} of its processes ended"
    left = [path for name in FOLDERS for path in remove_left_below(folder / name)]
    yield f"  {len(left)} temporary files removed"
    _unlock(folder)
    (folder / FILE).unlink(missing_ok=True)
    yield "  its lock released; what it had completed stays"


def _stop(run: Run) -> int:
    """End the jobs that outlived a run, so that none writes beside the next one; count them."""
    jobs = list(run.jobs())
    _send(jobs, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while list(run.jobs()) and time.monotonic() < deadline:
        time.sleep(0.05)
    _send(run.jobs(), signal.SIGKILL)
    return len(jobs)


def _send(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:  # ended by itself
            continue


def _unlock(folder: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--unlock"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise UserError(f"snakemake --unlock: {words[-1]}")

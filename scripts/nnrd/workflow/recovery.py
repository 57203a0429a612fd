"""Put right what a killed run left behind: its jobs, its temporary files, its lock."""

import os
import shutil
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.scratch import remove_left_below
from nnrd.workflow.runs import FILE, LOCAL, Run, last

PATIENCE = 10.0  # seconds that a job has to end by itself
FOLDERS = ("results", "resources", "benchmarks")  # where jobs write
LOCKS = Path(".snakemake/locks")  # Snakemake's own, which outlive its process


def recover(folder: Path) -> str | None:
    """Put right a folder whose last run was killed, and say so; None where it came to its end.

    Who calls it holds the folder (`runs.alone`).

    Raises:
        UserError: its jobs may still run elsewhere, and Snakemake's lock is still there.

    """
    run = last(folder)
    if run is None:
        return None
    if not run.is_here:
        _refuse_locked(folder, run)
        return None
    ended = _stop(run)
    left = [path for name in FOLDERS for path in remove_left_below(folder / name)]
    if (folder / LOCKS).exists():
        shutil.rmtree(folder / LOCKS)
    (folder / FILE).unlink(missing_ok=True)
    return (
        f"the last run (process {run.process}) was killed: {ended} of its processes ended, "
        f"{len(left)} temporary files removed, its lock released; what it had completed stays"
    )


def _refuse_locked(folder: Path, run: Run) -> None:
    """Refuse a folder of another machine's run; its lock is taken away by hand where that ended."""
    if not (folder / LOCKS).is_dir() or not any((folder / LOCKS).iterdir()):
        return
    on = "" if run.executor == LOCAL else f", whose jobs {run.executor} has"
    first = "" if run.executor == LOCAL else "cancel its jobs, then "
    raise UserError(
        f"process {run.process} of {run.host}{on} runs this workflow in this folder; "
        f"if it was killed: {first}snakemake --unlock"
    )


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

"""Snakemake and its jobs are ended at any moment; the next plain run completes by itself.

Then all that was made is an undisturbed run's, times aside, and nothing temporary is left.
"""

import os
import pty
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnrd.workflow.runs import FILE, MARK

from .conftest import CONFIG, Checkout, copy_of_project
from .made import contents, differences, temporary, without_times

PLAIN = [sys.executable, "-m", "snakemake", "--cores", "2"]  # no profile, no option
KILLS = 20  # of each series
JOBS = ("encode_tensors", "infer_features", "infer_weights")  # that are killed now and then
# What an interrupted run has still to make: two operating points and the report.
LACKING = ("features/*/*/rank84/nnc", "weights/*/nnc", "tables", "plots", "provenance.json")


@contextmanager
def running(checkout: Checkout) -> Iterator[subprocess.Popen]:
    """Run plainly, as a terminal would: in a session of its own."""
    with (checkout.folder / "said.txt").open("w") as said:
        run = subprocess.Popen(
            PLAIN, cwd=checkout.folder, stdout=said, stderr=said, start_new_session=True
        )
        try:
            yield run
        finally:
            run.kill()
            run.wait()


def wait_for(condition: Callable[[], object], seconds: float = 120) -> object:
    """Return what a condition becomes, once it is true; what it is where that takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def jobs(checkout: Checkout, program: str) -> list[int]:
    """Return the processes that run a program for this checkout."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if f"scripts/{program}.py" in words[1:2] and (entry / "cwd").samefile(checkout.folder):
                found.append(int(entry.name))
        except OSError:  # ended by now, or no process
            continue
    return found


def first_job(checkout: Checkout, run: subprocess.Popen, program: str) -> list[int]:
    """Wait for a job of a run; return none where the run ended before."""
    return wait_for(lambda: run.poll() is not None or jobs(checkout, program)) and jobs(
        checkout, program
    )


def of_run(process: int) -> list[str]:
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


def complete(checkout: Checkout, whole: dict[str, object]) -> str:
    """Run once more, plainly; hold all against the undisturbed run; return what was said."""
    done = subprocess.run(PLAIN, cwd=checkout.folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not differences(contents(checkout, without_times), whole)
    assert not temporary(checkout)
    assert checkout.plan().rules == {}
    return done.stderr


def torn(checkout: Checkout, whole: dict[str, object]) -> list[str]:
    """Return what is under a final name and not as in the end: as far as a file cannot change.

    Tables and the provenance of a run that goes on are of fewer points; what is temporary is no
    part of what is made in the end.
    """
    changing = ("results/tables/", "results/plots/", "results/provenance.json")
    for _ in range(20):
        try:
            found = contents(checkout, without_times)
            break
        except FileNotFoundError:  # a job that outlived Snakemake gave it its name
            time.sleep(0.1)
    return [
        name
        for name, content in found.items()
        if not name.startswith(changing) and name in whole and whole[name] != content
    ]


@pytest.fixture(scope="module")
def whole(finished: Checkout) -> dict[str, object]:
    """What an undisturbed run made."""
    return contents(finished, without_times)


@pytest.fixture
def lacking(checkout: Checkout) -> Checkout:
    """A finished checkout of which some is to be made again."""
    lose(checkout)
    return checkout


def lose(checkout: Checkout) -> None:
    for pattern in LACKING:
        for path in checkout.folder.glob(f"results/{pattern}"):
            subprocess.run(["rm", "-r", path], check=True)


def under_way(checkout: Checkout, run: subprocess.Popen) -> bool:
    """Wait until a run has the folder; False where it ended before."""
    note = checkout.folder / FILE
    wait_for(lambda: run.poll() is not None or (note.exists() and str(run.pid) in note.read_text()))
    return run.poll() is None


def kill(checkout: Checkout, chance: random.Random) -> str:
    """Run, and kill Snakemake or a job at a random moment; return which, "" if too late."""
    program = chance.choice([*JOBS, *[""] * 2 * len(JOBS)])
    with running(checkout) as run:
        if not under_way(checkout, run):
            return ""
        if program:
            first_job(checkout, run, program)
        time.sleep(chance.uniform(0, 2 if program else 6))
        victims = jobs(checkout, program) if program else [run.pid]
        if run.poll() is not None or not victims:
            return ""
        os.kill(victims[0], signal.SIGKILL)
        if program:
            run.wait(300)
        return f"SIGKILL of {program or 'Snakemake'}"


@pytest.mark.slow(minutes=4)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_that_is_killed_again_and_again(whole, tmp_path, fault, seed):
    """From nothing to the end; then what is taken away again, until there were enough kills."""
    chance, kills = random.Random(seed), 0
    checkout = copy_of_project(tmp_path / "killed")
    checkout.configure(CONFIG)
    while kills < KILLS:
        while kills < KILLS and not is_complete(checkout):
            killed = kill(checkout, chance)
            if killed:
                kills += 1
                fault(killed, random=True)
            assert not torn(checkout, whole)
        complete(checkout, whole)
        lose(checkout)


def is_complete(checkout: Checkout) -> bool:
    """Return whether the last file of a run is there."""
    return (checkout.folder / "results/provenance.json").exists()


def test_a_second_run_is_refused_and_the_first_may_be_killed(lacking, whole, fault):
    fault("two runs at once in one folder")
    with running(lacking) as run:
        assert first_job(lacking, run, "encode_tensors")
        second = subprocess.run(PLAIN, cwd=lacking.folder, capture_output=True, text=True)
        said = f"error: process {run.pid} of {os.uname().nodename} runs this workflow already"
        assert second.returncode == 1 and second.stderr.splitlines()[-1].startswith(said)
        assert recover(lacking).stderr.startswith(said)
        assert lacking.plan().rules  # a dry run is no run
        assert of_run(run.pid), "no job can outlive Snakemake, so this test shows nothing"
        fault("SIGKILL of Snakemake", random=True)
        os.kill(run.pid, signal.SIGKILL)
    said = complete(lacking, whole)
    assert f"the last run (process {run.pid}) was killed: " in said
    assert not of_run(run.pid) and recover(lacking).stdout == ""


def recover(checkout: Checkout) -> subprocess.CompletedProcess:
    command = [sys.executable, "scripts/recover_run.py"]
    return subprocess.run(command, cwd=checkout.folder, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.fault("SIGKILL of Snakemake, put right by hand")
def test_a_killed_run_is_put_right_by_hand(lacking, whole):
    with running(lacking) as run:
        assert first_job(lacking, run, "encode_tensors")
        os.kill(run.pid, signal.SIGKILL)
    said = recover(lacking)
    assert said.returncode == 0 and "was killed" in said.stdout and not of_run(run.pid)
    assert "was killed" not in complete(lacking, whole)


def interrupt(terminal: int, run: int) -> None:
    os.write(terminal, b"\x03")


def hang_up(terminal: int, run: int) -> None:
    os.close(terminal)


def terminate(terminal: int, run: int) -> None:
    os.kill(run, signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.fault("Snakemake ended by")
@pytest.mark.parametrize(
    "end", [interrupt, hang_up, terminate], ids=["SIGINT", "SIGHUP", "SIGTERM"]
)
def test_a_run_that_is_ended_from_its_terminal(lacking, whole, end):
    """Ctrl-C, a closed window, and what a machine sends that shuts down."""
    process, terminal = pty.fork()
    if not process:
        os.chdir(lacking.folder)
        os.execv(PLAIN[0], PLAIN)
    threading.Thread(target=drain, args=(terminal,), daemon=True).start()
    assert wait_for(lambda: jobs(lacking, "encode_tensors"))
    end(terminal, process)
    assert os.waitpid(process, 0)[1] != 0
    assert not torn(lacking, whole)
    complete(lacking, whole)
    assert not of_run(process)


def drain(terminal: int) -> None:
    """Read what a terminal shows, which is full else."""
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:  # closed
        return

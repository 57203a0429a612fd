"""Folders of killed processes go; those of processes that live stay."""

import fcntl
import multiprocessing
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnrd.core import scratch as module
from nnrd.core.scratch import scratch

SCRIPTS = Path(__file__).parents[3] / "scripts"
HOLD = f"""
import sys, time
sys.path.insert(0, {str(SCRIPTS)!r})
from pathlib import Path
from nnrd.assets.cache import Cache
with Cache(sys.argv[1]).workspace() as work:
    (work / "part").write_bytes(bytes(14_000_000))
    print(work, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def hold(tmp_path):
    """Start a process that works in the cache; return it and its folder."""
    started = []

    def start():
        command = [sys.executable, "-c", HOLD, str(tmp_path / "cache")]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1], Path(started[-1].stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path, hold, end):
    process, work = hold()
    process.send_signal(end)
    process.wait()
    assert (work / "part").stat().st_size == 14_000_000
    with scratch(tmp_path / "cache/work"):
        assert not work.exists()
    assert not list((tmp_path / "cache/work").iterdir())


def test_what_a_living_process_works_in_stays(tmp_path, hold):
    _, work = hold()
    with scratch(tmp_path / "cache/work"):
        assert (work / "part").exists()


def test_folders_without_a_lock_and_of_other_names(tmp_path):
    for name in (".out.partial-old", ".other.partial-old"):
        (tmp_path / name / "new").mkdir(parents=True)
    (tmp_path / ".out.partial-file").write_text("mine")
    with scratch(tmp_path, ".out.partial-"):
        assert not (tmp_path / ".out.partial-old").exists()
    assert {path.name for path in tmp_path.iterdir()} == {".other.partial-old", ".out.partial-file"}


@pytest.mark.fault("no locks: temporary folders")
def test_where_nothing_can_be_locked_nothing_of_others_is_removed(tmp_path, monkeypatch):
    (tmp_path / "left").mkdir()

    def no_locks(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(module.fcntl, "flock", no_locks)
    with scratch(tmp_path) as folder:
        assert folder.is_dir() and (tmp_path / "left").is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["left"]


def churn(parent, until, lost):
    while time.monotonic() < until:
        with scratch(parent) as folder:
            (folder / "file").write_bytes(b"x")
            time.sleep(0)
            if not (folder / "file").exists():
                lost.value += 1


def test_processes_that_clean_up_do_not_take_each_others_folders(tmp_path):
    lost, until = multiprocessing.Value("i", 0), time.monotonic() + 1.0
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=churn, args=(tmp_path, until, lost)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 6
    assert lost.value == 0
    with scratch(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_taken_before_it_is_locked_is_made_anew(tmp_path, monkeypatch):
    real, taken = fcntl.flock, []

    def flock(lock, how):
        if not taken:  # between the making of the folder and its lock, another cleans up
            taken.append(1)
            module._remove_left(tmp_path, "")
        real(lock, how)

    monkeypatch.setattr(module.fcntl, "flock", flock)
    with scratch(tmp_path) as folder:
        assert folder.is_dir()
        assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.fault("a disk that takes no lock file")
def test_a_disk_that_takes_no_lock_is_said_and_nothing_is_left(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "open", full)
    with pytest.raises(OSError, match="No space left") as error, scratch(tmp_path / "a", ".x"):
        pass
    assert error.value.filename == str(tmp_path / "a")
    monkeypatch.undo()
    assert not list((tmp_path / "a").iterdir())

"""What a killed run left behind: known by the run's mark, and put right."""

import errno
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from nnrd.core.errors import UserError
from nnrd.workflow import recovery, runs
from nnrd.workflow.guard import guard
from nnrd.workflow.recovery import LOCKS
from nnrd.workflow.runs import FILE, MARK

HOLD = """
import sys, time
from pathlib import Path
from nnrd.workflow import runs
with runs.alone(Path()):
    runs.begin(runs.this())
    print(flush=True)
    time.sleep(60)
"""


def write(folder, run):
    (folder / FILE).parent.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(asdict(run)))


def locked(folder):
    """Write a lock as Snakemake does."""
    (folder / LOCKS).mkdir(parents=True)
    (folder / LOCKS / "0.output.lock").write_text("results/x\n")


def dead():
    """Return a run of this machine whose process is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return replace(runs.this(), process=process.pid)


def test_nothing_is_done_where_the_last_run_came_to_its_end(tmp_path):
    locked(tmp_path)
    assert recovery.recover(tmp_path) is None and (tmp_path / LOCKS).exists()


@pytest.fixture
def other(tmp_path):
    """Another process that runs the workflow in the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()


def refused(folder):
    with pytest.raises(UserError) as caught, runs.alone(folder):
        pass
    return str(caught.value)


def test_a_run_under_way_is_left_alone_until_its_process_ends(tmp_path, other):
    assert f"process {other.pid} of" in refused(tmp_path)
    (tmp_path / FILE).rename(tmp_path / "note")  # as before it was written
    assert refused(tmp_path).startswith("another process runs this workflow already")
    (tmp_path / "note").rename(tmp_path / FILE)
    other.kill()
    other.wait()
    with runs.alone(tmp_path):
        assert "was killed" in recovery.recover(tmp_path)


def test_where_nothing_can_be_locked_the_note_tells(tmp_path, other, monkeypatch):
    def flock(handle, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(runs.fcntl, "flock", flock)
    assert f"process {other.pid} of" in refused(tmp_path)
    other.kill()
    other.wait()
    with runs.alone(tmp_path):
        pass


ELSEWHERE = {
    "another machine": ({"host": "elsewhere"}, "killed: snakemake --unlock"),
    "a cluster": (
        {"executor": "slurm"},
        "whose jobs slurm has .* cancel its jobs, then snakemake --unlock",
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_run_whose_jobs_are_elsewhere_is_left_alone(tmp_path, name):
    change, words = ELSEWHERE[name]
    write(tmp_path, replace(dead(), **change))
    assert recovery.recover(tmp_path) is None  # unlocked by hand
    locked(tmp_path)
    with pytest.raises(UserError, match=words):
        recovery.recover(tmp_path)
    assert (tmp_path / LOCKS / "0.output.lock").exists() and (tmp_path / FILE).exists()


@pytest.mark.parametrize("change", [{"began": 1}, {"boot": "another start of the machine"}])
def test_another_process_of_the_same_number_is_not_the_run(tmp_path, change):
    write(tmp_path, replace(runs.this(), **change))
    with runs.alone(tmp_path):
        assert "was killed" in recovery.recover(tmp_path)


def test_jobs_of_a_killed_run_end_and_its_files_go(tmp_path):
    run = dead()
    job = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env={**os.environ, MARK: run.mark}
    )
    own = {key: value for key, value in os.environ.items() if key != MARK}
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env=own)
    left = tmp_path / "results/models/.m.onnx.partial-abcd1234"
    left.mkdir(parents=True)
    (left / "m.onnx").write_text("half")
    (tmp_path / "results/models/whole.onnx").write_text("whole")
    write(tmp_path, run)
    locked(tmp_path)
    wait_for_environment(job.pid)
    try:
        said = recovery.recover(tmp_path)
        assert job.wait(timeout=5) != 0 and other.poll() is None
    finally:
        job.kill()
        other.kill()
    assert "1 of its processes ended, 1 temporary files removed" in said and "\n" not in said
    assert not left.exists() and (tmp_path / "results/models/whole.onnx").exists()
    assert not (tmp_path / LOCKS).exists() and not (tmp_path / FILE).exists()


def wait_for_environment(process):
    """Wait until a process has its own environment, not yet that of the fork."""
    deadline = time.monotonic() + 5
    while MARK.encode() not in open(f"/proc/{process}/environ", "rb").read():  # noqa: PTH123, SIM115
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_ended_run_leaves_no_note(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = runs.this()
    runs.begin(run)
    assert runs.last(tmp_path) == run and run.is_alive and run.is_here
    runs.end(run)
    assert runs.last(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"host": "x"}'])
def test_a_damaged_note_is_no_run(tmp_path, text):
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(text)
    assert runs.last(tmp_path) is None


class Workflow:
    """What `guard` sees of Snakemake's: whether a job's own process, and what executes it."""

    def __init__(self, main=True, lock=True):
        self.is_main_process, self.ran = main, []
        self.execution_settings = SimpleNamespace(lock=lock)
        self.dag_settings = SimpleNamespace(force_incomplete=False)

    def execute(self, executor_plugin, **settings):
        self.ran.append((runs.last(Path()), settings))


def plugin(**common):
    kinds = {"dryrun_exec": False, "touch_exec": False, "local_exec": True, **common}
    return SimpleNamespace(name="slurm", common_settings=SimpleNamespace(**kinds))


@pytest.mark.parametrize(
    ("how", "common", "executor"),
    [
        ({}, {}, "local"),
        ({}, {"local_exec": False}, "slurm"),
        ({}, {"dryrun_exec": True}, None),
        ({}, {"touch_exec": True}, None),
        ({"main": False}, {}, None),
        ({"lock": False}, {}, None),
    ],
)
def test_only_a_real_run_is_guarded(tmp_path, monkeypatch, how, common, executor):
    monkeypatch.chdir(tmp_path)
    workflow = Workflow(**how)
    guard(workflow)
    guard(workflow)  # as a module of a workflow that is one itself
    workflow.execute(executor_plugin=plugin(**common), cores=2)
    [(run, settings)] = workflow.ran
    assert settings == {"cores": 2} and (run.executor if run else None) == executor
    assert workflow.dag_settings.force_incomplete == (executor == "local")
    assert runs.last(Path()) is None


def test_a_refused_run_ends_in_one_line(tmp_path, monkeypatch, other):
    monkeypatch.chdir(tmp_path)
    workflow = Workflow()
    guard(workflow)
    with pytest.raises(SystemExit, match=f"^error: process {other.pid} of "):
        workflow.execute(executor_plugin=plugin())
    assert not workflow.ran and runs.last(tmp_path).process == other.pid

"""What a killed run left behind: known by the run's mark, and put right."""

import json
import os
import subprocess
import sys
import time

import pytest

from nnrd.core.errors import UserError
from nnrd.workflow import recovery, runs
from nnrd.workflow.runs import FILE, MARK, Run


@pytest.fixture
def unlocked(monkeypatch):
    """Count the calls of Snakemake's unlock, which needs a workflow."""
    calls = []
    monkeypatch.setattr(recovery, "_unlock", calls.append)
    return calls


def write(folder, run):
    (folder / FILE).parent.mkdir(parents=True, exist_ok=True)
    fields = {"host": run.host, "process": run.process, "began": run.began}
    (folder / FILE).write_text(json.dumps(fields))


def dead(began=1):
    """Return a run of this machine whose process is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return Run(os.uname().nodename, process.pid, began)


def test_nothing_is_done_where_the_last_run_came_to_its_end(tmp_path, unlocked):
    assert list(recovery.recover(tmp_path)) == [] and not unlocked


def test_a_run_under_way_is_left_alone(tmp_path, unlocked):
    write(tmp_path, runs.this())
    with pytest.raises(UserError, match=f"process {os.getpid()} runs this workflow already"):
        list(recovery.recover(tmp_path))
    assert (tmp_path / FILE).exists() and not unlocked


def test_a_run_of_another_machine_is_left_alone(tmp_path, unlocked):
    write(tmp_path, Run("elsewhere", 1, 1))
    with pytest.raises(UserError, match="machine elsewhere"):
        list(recovery.recover(tmp_path))
    assert not unlocked


def test_another_process_of_the_same_number_is_not_the_run(tmp_path, unlocked):
    ours = runs.this()
    write(tmp_path, Run(ours.host, ours.process, ours.began - 1))
    assert "killed" in next(recovery.recover(tmp_path))


def test_jobs_of_a_killed_run_end_and_its_files_go(tmp_path, unlocked):
    run = dead()
    job = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env={**os.environ, MARK: run.mark}
    )
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    left = tmp_path / "results/models/.m.onnx.partial-abcd1234"
    left.mkdir(parents=True)
    (left / "m.onnx").write_text("half")
    (tmp_path / "results/models/whole.onnx").write_text("whole")
    write(tmp_path, run)
    wait_for_environment(job.pid)
    try:
        said = list(recovery.recover(tmp_path))
        assert job.wait(timeout=5) != 0 and other.poll() is None
    finally:
        job.kill()
        other.kill()
    assert "1 of its processes ended" in said[1] and "1 temporary files" in said[2]
    assert not left.exists() and (tmp_path / "results/models/whole.onnx").exists()
    assert unlocked == [tmp_path] and not (tmp_path / FILE).exists()


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

"""The benchmark of a whole study prints equal numbers of both ways, and its ratio."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow(minutes=2)
def test_scripts_and_workflow_have_the_same_map():
    few = ["--items", "2", "--splits", "73", "--qps", "-10", "--cores", "1"]
    without = {name: value for name, value in os.environ.items() if name != "NNRD_DATA"}
    done = subprocess.run(
        [sys.executable, "scripts/bench_study.py", *few],
        cwd=ROOT, env=without, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = re.findall(
        r"^ +73 +(?:raw|float16|nnc -10) +([\d.]+) +([\d,]+) +([\d,]+)$", done.stdout, re.M
    )
    sizes = [[int(size.replace(",", "")) for size in row[1:]] for row in rows]
    assert len(sizes) == 3
    # The workflow's are the same streams in containers, one an image.
    assert all(0 < ours - theirs < 2 * 200 for theirs, ours in sizes)
    assert re.search(r"workflow [\d.]+ s on 1 cores: [\d.]+ ×", done.stdout)


@pytest.mark.slow(minutes=2)
def test_what_a_job_costs_is_printed_by_phase():
    programs = ["encode_tensors", "infer_features", "score_point"]
    done = subprocess.run(
        [sys.executable, "scripts/bench_jobs.py", "--runs", "1", "--cores", "1", *programs],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head, *lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == programs
    columns = head[2:]  # behind "program, ms"
    for line in lines:
        found = dict(zip(columns, map(int, line[1:]), strict=True))
        phases = [found[name] for name in ("start", "imports", "model", "work", "rest")]
        assert sum(phases) == pytest.approx(found["wall"], abs=5)
        assert found["beside"] == pytest.approx(found["wall"] - found["work"], abs=2)

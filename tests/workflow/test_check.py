"""`nnrd check` on a run, and its repair through Snakemake: what is wrong is made again, no more."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from .conftest import ITEMS, MODEL, Checkout

SPLIT = f"results/features/{MODEL}/{ITEMS}/rank50"
# What is damaged, each file's time kept, and the rule that makes it again.
DAMAGED = {
    f"resources/{MODEL}/model.json": "fetch_asset",
    f"{SPLIT}/tensors/0-of-2": "extract_features",
    f"{SPLIT}/nnc/qp=-10/bitstreams/1-of-2": "encode_tensors",
    f"{SPLIT}/raw/default/predictions/0-of-2.json": "infer_features",
    "results/tables/small/points.csv": "tabulate_points",
    "results/plots/small/codec_bars.svg": "plot_points",
}


def flip(path: Path) -> None:
    """Flip a bit of a file, or of the first file in a folder; the time stays."""
    file = path if path.is_file() else min(p for p in path.iterdir() if p.name[0] != ".")
    kept, data = file.stat(), bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)
    os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def check(checkout: Checkout, *words: str) -> tuple[int, str]:
    """Return the exit code of ``nnrd check``, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "nnrd.cli", "check", *words],
        cwd=checkout.folder, capture_output=True, text=True, timeout=900,
        env={**os.environ, "PYTHONPATH": str(checkout.folder / "scripts")},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def jobs(checkout: Checkout) -> Counter[str]:
    """Return how often each rule ran since the logs of Snakemake were removed."""
    logs = (checkout.folder / ".snakemake/log").glob("*.snakemake.log")
    found = (re.findall(r"^(?:local)?rule (\w+):$", log.read_text(), re.MULTILINE) for log in logs)
    return Counter(rule for rules in found for rule in rules)


def test_a_finished_run_is_whole(finished):
    code, said = check(finished)
    assert code == 0, said
    assert re.search(r"^\d+ whole, 0 missing, 0 damaged, 0 stale, 0 nobody's$", said, re.MULTILINE)


@pytest.mark.slow(minutes=3)
def test_a_repair_runs_the_jobs_of_what_is_wrong_and_no_others(checkout):
    for name in DAMAGED:
        flip(checkout.folder / name)
    code, said = check(checkout)
    assert code == 1 and f"0 missing, {len(DAMAGED)} damaged, 0 stale" in said, said
    assert all(re.search(rf"^damaged +{re.escape(name)}", said, re.MULTILINE) for name in DAMAGED)
    shutil.rmtree(checkout.folder / ".snakemake/log")
    code, said = check(checkout, "--repair")
    assert code == 0, said
    assert jobs(checkout) == Counter(DAMAGED.values())
    assert checkout.plan("--rerun-triggers", "mtime").rules == {}

"""A cluster, and the project's own small studies run on it once; each test goes on from there."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from workflow.conftest import DATASET, MODEL, Checkout, copy_of_project

from .lab import Lab, missing, wait_for

PROFILES = "workflow/profiles"
# Waiting as briefly as may be; the lab has no accounting.
BRIEFLY = {
    "slurm": [
        *("--latency-wait", "5", "--slurm-init-seconds-before-status-checks", "1"),
        *("--slurm-status-command", "squeue", "--slurm-no-account"),
    ],
    "cluster-generic": ["--latency-wait", "5", "--seconds-between-status-checks", "1"],
}
OFTEN = Path(__file__).with_name("often.py")
TABLES = ["results/tables/points.csv", "results/tables/items.csv"]
PICTURE = "results/plots/weights/accuracy_size.png"
# Too little for PyTorch at the first try, enough at the second.
SHORT = ("decode_weights", "infer_weights", "score_point")
SHORT_OF_MEMORY = ["--set-resources", *(f"{rule}:mem_mb=350*attempt**2" for rule in SHORT)]
# Once, the first job of a codec fails, as a node with a fault would make it.
FLAW = """import pathlib, sys
flag = pathlib.Path("failed_once")
if "nnc" in sys.argv and not flag.exists():
    flag.touch()
    sys.exit("error: a node with a fault")
"""
CONFIG = {
    "run": ["small", "weights"],
    "studies": {
        "small": {
            "kind": "features",
            "model": MODEL,
            "dataset": DATASET,
            "items": 2,
            "splits": [84],
            "codecs": ["raw", {"nnc": {"qp": [-10]}}],
        },
        "weights": {
            "kind": "weights",
            "model": "mobilenet_v2",
            "dataset": "imagenet_images",
            "items": 2,
            "codecs": [{"nnc": {"qp": [-20]}}],
        },
    },
}


class Cluster:
    """A checkout whose workflow runs on the lab."""

    def __init__(self, checkout: Checkout, lab: Lab) -> None:
        self.checkout, self.lab = checkout, lab

    def start(self, *arguments: str, profile: str = "slurm") -> subprocess.Popen:
        """Begin a run of the workflow with one of the project's profiles."""
        command = [sys.executable, str(OFTEN), "--workflow-profile", f"{PROFILES}/{profile}"]
        return subprocess.Popen(
            [*command, *BRIEFLY[profile], *arguments],
            cwd=self.checkout.folder, env=os.environ | dict(self.lab.environment),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, *arguments: str, profile: str = "slurm") -> str:
        """Run the workflow to its end and return what it said."""
        said, _ = (process := self.start(*arguments, profile=profile)).communicate(timeout=300)
        assert process.returncode == 0, said
        return said

    def states(self, rule: str) -> dict[str, tuple[str, str]]:
        """Return state and node of each job of a rule by its number, those that have ended too."""
        jobs = self.lab.jobs("%i", "%T", "%N", "%k")
        return {number: (state, node) for number, state, node, of in jobs if rule in of}

    def forget(self, *folders: str) -> None:
        """Delete results, and the tables that were made of them, so that a run makes both again."""
        for folder in (*folders, "tables"):
            shutil.rmtree(self.checkout.folder / "results" / folder, ignore_errors=True)

    def interrupt(self, process: subprocess.Popen) -> None:
        """End a run as Ctrl-C does, and wait until no job is left in the queue."""
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
        assert process.returncode != 0, said
        wait_for(lambda: self.lab.asked("squeue", "-h", "-t", "PD,R,CF,CG") == "")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    if reason := missing():
        pytest.skip(f"no SLURM here: {reason}")
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="pip install -r envs/slurm.txt")
    with tempfile.TemporaryDirectory(prefix="nnrd-slurm-") as folder:
        Path(folder).chmod(0o755)  # munge asks for a path that others may go
        cluster = Lab(Path(folder) / "lab")
        try:
            cluster.up()
            yield cluster
        finally:
            cluster.down()


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The same studies run on this machine."""
    checkout = copy_of_project(tmp_path_factory.mktemp("local") / "checkout")
    checkout.configure(CONFIG)
    done = checkout.run("--", *TABLES)
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


@pytest.fixture(scope="session")
def cluster(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The studies run on the cluster; one job failed once, another had too little memory."""
    checkout = copy_of_project(tmp_path_factory.mktemp("cluster") / "checkout")
    checkout.configure(CONFIG)
    program = checkout.folder / "scripts/encode_tensors.py"
    docstring, code = program.read_text().split("\n\n", 1)
    program.write_text(f"{docstring}\n\n{FLAW}{code}")
    found = Cluster(checkout, lab)
    found.run(*SHORT_OF_MEMORY, "--", *TABLES, PICTURE)
    return found

"""The workflow in a copy of the checkout, run once on few items; each test gets a copy of that."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODEL, DATASET, ITEMS = "ssdlite300_mobilenet_v2", "demo_images", "demo_images-4"
CONFIG = {
    "run": ["small", "weights"],
    "studies": {
        "small": {
            "kind": "features",
            "model": MODEL,
            "dataset": DATASET,
            "items": 4,
            "shard_size": 2,
            "splits": [50, 84],
            "codecs": ["raw", {"nnc": {"qp": [-10]}}],
            "overlays": [{"split": 1, "codec": "nnc", "parameters": {"qp": -10}}],
        },
        "weights": {
            "kind": "weights",
            "model": "mobilenet_v2",
            "dataset": "imagenet_images",
            "items": 4,
            "shard_size": 2,
            "codecs": ["float16", {"nnc": {"qp": [-20], "use_dq": True}}],
        },
    },
}


class Jobs(NamedTuple):
    """What a dry run would do."""

    rules: dict[str, int]
    outputs: list[str]


class Checkout:
    """A copy of the project in which the workflow can be run, edited and run again."""

    def __init__(self, folder: Path):
        self.folder = folder

    def configure(self, config: dict) -> None:
        (self.folder / "config/config.yaml").write_text(yaml.safe_dump(config))

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1))

    def command(self, *arguments: str) -> list[str]:
        snakemake = [sys.executable, "-m", "snakemake"]
        return [*snakemake, "--workflow-profile", "workflow/profiles/default", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments), cwd=self.folder, capture_output=True, text=True, timeout=900
        )

    def plan(self, *arguments: str) -> Jobs:
        """Return the jobs that a run would do now."""
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "2", *arguments],
            cwd=self.folder, capture_output=True, text=True, timeout=100,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        rules: dict[str, int] = {}
        for name in re.findall(r"^(?:local)?rule (\w+):$", said, re.MULTILINE):
            rules[name] = rules.get(name, 0) + 1
        outputs = re.findall(r"^    output: (.*)$", said, re.MULTILINE)
        rules.pop("all", None)
        assert rules or "Nothing to be done" in said, said
        return Jobs(rules, outputs)

    def copy_to(self, folder: Path) -> "Checkout":
        shutil.copytree(self.folder, folder, symlinks=True)
        return Checkout(folder)


def copy_of_project(folder: Path) -> Checkout:
    """Copy what git tracks, or would track, and the coder where it was built."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    listed += [str(path.relative_to(ROOT)) for path in ROOT.glob("scripts/nnrd/**/*.so")]
    for name in listed:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return Checkout(folder)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which the two small studies were run; not to be changed."""
    checkout = copy_of_project(tmp_path_factory.mktemp("finished"))
    checkout.configure(CONFIG)
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


@pytest.fixture
def checkout(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished checkout, to be edited."""
    return finished.copy_to(tmp_path / "checkout")

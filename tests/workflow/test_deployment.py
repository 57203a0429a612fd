"""`--software-deployment-method`: what conda and apptainer are asked for, by stand-ins for them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Checkout, copy_of_project

INDEX = "results/datasets/demo_images.json"
# Says what it was asked, and runs what it is to run in the container.
APPTAINER = """#!/bin/bash
[ "$1" = --version ] && { echo "apptainer version 1.3.4"; exit; }
echo "$@" >> asked
while [ "$1" != bash ]; do shift; done
exec "$@"
"""
# Makes an environment that is this one, where the file is enough by itself.
CONDA = """#!{python}
import json, os, pathlib, sys
import yaml
words = sys.argv[1:]
if words[:1] == ["info"]:
    print(json.dumps(dict(conda_prefix="{folder}", platform="linux-64", conda_version="26.1.0")))
elif words == ["--version"]:
    print("conda 26.1.0")
elif words[:1] == ["config"]:
    print(json.dumps(dict(get=dict(channel_priority="strict"))))
elif words[:2] == ["env", "create"]:
    given = pathlib.Path([word for word in words if word.endswith(".yaml")][0].split("=")[-1])
    (pip,) = [item["pip"] for item in yaml.safe_load(given.read_text())["dependencies"]
              if isinstance(item, dict)]
    assert not [line for line in pip if line.startswith("-")], "another file is named"
    prefix = pathlib.Path(words[words.index("--prefix") + 1])
    (prefix / "bin").mkdir(parents=True)
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta/history").touch()
    with open("asked", "a") as file:
        print("env create", prefix, file=file)
"""
ACTIVATE = 'echo "activate $1" >> asked\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return copy_of_project(tmp_path / "checkout")


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def run(checkout: Checkout, method: str, tools: Path) -> list[str]:
    """Make an index of a dataset, whose files are fetched, and return what the tool was asked."""
    done = subprocess.run(
        checkout.command("--software-deployment-method", method, "--", INDEX),
        cwd=checkout.folder, env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((checkout.folder / INDEX).read_text())
    return (checkout.folder / "asked").read_text().splitlines()


def test_jobs_run_in_the_container_s_file(checkout: Checkout, tmp_path: Path):
    program(tmp_path / "bin", "apptainer", APPTAINER)
    image = checkout.folder / "envs/container/nnrd.sif"
    image.touch()
    asked = run(checkout, "apptainer", tmp_path / "bin")
    assert len(asked) == 2  # one fetches, the other indexes
    assert all(" envs/container/nnrd.sif " in line for line in asked)


def test_jobs_run_in_an_environment_of_conda_s(checkout: Checkout, tmp_path: Path):
    tools = tmp_path / "bin"
    program(tools, "conda", CONDA.format(python=sys.executable, folder=tmp_path))
    program(tools, "activate", ACTIVATE)
    asked = run(checkout, "conda", tools)
    made = [line for line in asked if line.startswith("env create")]
    assert len(made) == 1 and len(asked) == 3
    assert {line.split()[-1] for line in asked} == {made[0].split()[-1]}

"""All code of nnrd that a job runs is in its hash: proved by watching the jobs run."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from nnrd.study import source_hash
from nnrd.study.config import load
from nnrd.study.jobs import Jobs

from .conftest import Checkout

# Runs a program and writes down the functions of nnrd that were called: module and qualified name.
TRACER = """
import json, runpy, sys
called, out = set(), sys.argv[1]
def watch(frame, event, argument):
    if event == "call":
        module = frame.f_globals.get("__name__", "")
        if module.startswith("nnrd"):
            called.add((module, frame.f_code.co_qualname))
sys.argv = sys.argv[2:]
sys.path[0] = "scripts"
sys.setprofile(watch)
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    sys.setprofile(None)
    open(out, "w").write(json.dumps(sorted(called)))
"""
# What prepares a run and looks for code, and what only says something.
UNSEEN = {"nnrd.core.progress", "nnrd.core.program", "nnrd.core.extras"}
RULES = (
    *("index_dataset", "convert_model", "split_model", "infer_anchor", "extract_features"),
    *("encode_tensors", "infer_features", "extract_weights", "infer_weights", "score_point"),
    *("tabulate_points", "join_tables", "plot_points", "draw_overlays", "write_provenance"),
)


@pytest.fixture(scope="module")
def traced(finished: Checkout, tmp_path_factory) -> Checkout:
    """A copy in which jobs can be run again."""
    checkout = finished.copy_to(tmp_path_factory.mktemp("traced") / "checkout")
    (checkout.folder / "tracer.py").write_text(TRACER)
    return checkout


@pytest.fixture(scope="module")
def commands(traced: Checkout) -> list[tuple[str, dict, str]]:
    """The rule, the wildcards and the shell line of every job."""
    arguments = ["--dry-run", "--forceall", "--printshellcmds", "--cores", "1"]
    said = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=traced.folder, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = []
    for block in said.split("\n\n"):
        rule = re.search(r"^(?:local)?rule (\w+):$", block, re.MULTILINE)
        words = re.search(r"^    wildcards: (.*)$", block, re.MULTILINE)
        if rule:
            pairs = re.findall(r"(\w+)=(.*?)(?:, (?=\w+=)|$)", words[1]) if words else []
            found.append((rule[1], dict(pairs), block))
    shells = re.findall(r"^python scripts/.*$", said, re.MULTILINE)
    return [(rule, pairs, shell) for (rule, pairs, _), shell in zip(_jobs(found), shells)]


def _jobs(found):
    return [entry for entry in found if entry[0] != "all"]


def parts(rule: str, checkout: Checkout) -> list[str]:
    """Return what the rule hashes besides its stage, as its file says."""
    text = "".join(file.read_text() for file in checkout.folder.glob("workflow/rules/*.smk"))
    match = re.search(rf'JOBS\.hashed\(\s*"{rule}"((?:,\s*"\w+")*)', text)
    return re.findall(r'"(\w+)"', match[1]) if match else []


@pytest.mark.parametrize("rule", RULES)
def test_all_that_ran_is_in_the_hash(traced, commands, rule):
    config = yaml.safe_load((traced.folder / "config/config.yaml").read_text())
    jobs = Jobs(load(config, "config.yaml", traced.folder))
    seen = [command for command in commands if command[0] == rule]
    assert seen, rule
    # One job a family of wildcards is enough: the first and the last are of different studies.
    for _, wildcards, shell in {id(command): command for command in (seen[0], seen[-1])}.values():
        line = shell.replace("python scripts/", "python tracer.py calls.json scripts/", 1)
        done = subprocess.run(line, shell=True, cwd=traced.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        called = json.loads((traced.folder / "calls.json").read_text())
        targets = jobs.targets(wildcards, *parts(rule, traced))
        reached = source_hash.reached(f"nnrd.stages.{rule}", *targets)
        missing = [name for name in map(tuple, called) if not _covered(*name, reached)]
        assert not missing


def _covered(module: str, function: str, reached: set[tuple[str, str]]) -> bool:
    """Say whether a function, or the class that it is in, is in the hash."""
    first, _, rest = function.partition(".")
    if module in UNSEEN or first.startswith("<") or (module, first) in reached:
        return True
    # A class with some of its methods: "Class.method,method".
    method = rest.partition(".")[0]
    kept = [name for owner, name in reached if owner == module and name.startswith(f"{first}.")]
    special = method.startswith("__")
    return any(special or method in name.partition(".")[2].split(",") for name in kept)

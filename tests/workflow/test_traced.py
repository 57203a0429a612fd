"""All code of nnrd that a job runs is in its hash: proved by watching the jobs run."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nnrd.study import source_hash
from nnrd.study.config import load
from nnrd.study.job_code import JobCode
from nnrd.study.jobs import Jobs
from nnrd.study.tables import Tables

from .conftest import Checkout

# Runs a program and writes down the functions of nnrd that were called: module and qualified name.
TRACER = """
import json, runpy, sys
called, out = set(), sys.argv[1]
def watch(frame, event, argument):
    code, module = frame.f_code, frame.f_globals.get("__name__", "")
    # 2, CO_NEWLOCALS: a function, not the body of a class or module that is imported.
    written = code.co_flags & 2 and code.co_filename != "<string>"
    if event == "call" and written and module.startswith("nnrd"):
        called.add((module, code.co_qualname))
sys.argv = sys.argv[2:]
sys.path[0] = "scripts"
sys.setprofile(watch)
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    sys.setprofile(None)
    open(out, "w").write(json.dumps(sorted(called)))
"""
# What starts a program, finds things by name, or only says something.
UNSEEN = {f"nnrd.core.{name}" for name in ("progress", "program", "registry", "extras")}
# The last of a run first: a file whose own sources were made again is refused by who reads it.
RULES = (
    *("write_provenance", "draw_overlays", "plot_points", "join_tables", "tabulate_latency"),
    *(
        "tabulate_points",
        "score_point",
        "decode_weights",
        "infer_weights",
        "extract_weights",
        "infer_features",
    ),
    *("encode_tensors", "extract_features", "extract_outputs", "infer_files", "infer_anchor"),
    *("split_model", "convert_model", "index_dataset"),
)


@pytest.fixture(scope="module")
def traced(finished: Checkout, tmp_path_factory) -> Checkout:
    """A copy in which jobs can be run again."""
    return with_tracer(finished, tmp_path_factory.mktemp("traced") / "checkout")


def with_tracer(finished: Checkout, folder: Path) -> Checkout:
    """Return a copy of a finished checkout in which jobs can be watched."""
    checkout = finished.copy_to(folder)
    (checkout.folder / "tracer.py").write_text(TRACER)
    return checkout


@pytest.fixture(scope="module")
def commands(traced: Checkout) -> list[tuple[str, dict, str]]:
    """The rule, the wildcards and the shell line of every job."""
    return commands_of(traced)


def commands_of(traced: Checkout) -> list[tuple[str, dict, str]]:
    """Return the rule, the wildcards and the shell line of every job of a checkout."""
    arguments = ["--dry-run", "--forceall", "--printshellcmds", "--cores", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=traced.folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return list(_jobs((done.stdout + done.stderr).splitlines()))


def _jobs(lines: list[str]) -> Iterator[tuple[str, dict, str]]:
    rule, wildcards = "", {}
    for line in lines:
        if match := re.match(r"(?:local)?rule (\w+):$", line):
            rule, wildcards = match[1], {}
        elif line.startswith("    wildcards: "):
            words = line.removeprefix("    wildcards: ")
            wildcards = dict(re.findall(r"(\w+)=(.*?)(?:, (?=[a-z]+=)|$)", words))
        elif "python scripts/" in line:
            yield rule, wildcards, line.strip().removeprefix("Shell command: ")


def parts(rule: str, checkout: Checkout) -> list[str]:
    """Return what the rule hashes besides its stage, as its file says."""
    text = "".join(file.read_text() for file in checkout.folder.glob("workflow/rules/*.smk"))
    match = re.search(rf'CODE\.hashed\(\s*"{rule}"((?:,\s*"\w+")*)', text)
    return re.findall(r'"(\w+)"', match[1]) if match else []


@pytest.mark.parametrize("rule", RULES)
def test_all_that_ran_is_in_the_hash(traced, commands, rule):
    check_hash(traced, commands, rule)


def check_hash(traced: Checkout, commands: list[tuple[str, dict, str]], rule: str) -> None:
    """Run the first and the last job of a rule; fail where one calls what its hash has not."""
    config = yaml.safe_load((traced.folder / "config/config.yaml").read_text())
    settings = load(config, "config.yaml", traced.folder)
    code = JobCode(Jobs(settings), Tables(settings))
    seen = [command for command in commands if command[0] == rule]
    assert seen, rule
    # One job a family of wildcards is enough: the first and the last are of different studies.
    for _, wildcards, shell in {id(command): command for command in (seen[0], seen[-1])}.values():
        line = shell.replace("python scripts/", "python tracer.py calls.json scripts/", 1)
        line = re.sub(r" > \S+ 2>&1$", "", line)  # what it says is wanted here
        done = subprocess.run(line, shell=True, cwd=traced.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        called = json.loads((traced.folder / "calls.json").read_text())
        targets = code.targets(wildcards, *parts(rule, traced))
        reached = source_hash.reached(f"nnrd.stages.{rule}", *targets)
        missing = [name for name in map(tuple, called) if not _covered(*name, reached)]
        assert not missing, missing


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

"""What the rules make is what the studies declare: so pruning and checking see all of it."""

from pathlib import Path

import yaml

from nnrd.study.check import MISSING, Check
from nnrd.study.config import load
from nnrd.study.declared import declared

from .conftest import ROOT, copy_of_project


def test_every_output_is_declared(tmp_path):
    """Of all shipped studies, by a dry run in a fresh checkout."""
    checkout = copy_of_project(tmp_path / "checkout")
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    names = list(config["studies"])
    jobs = checkout.plan("--config", f"run=[{','.join(names)}]")
    made = {name for line in jobs.outputs for name in line.split(", ")}
    made = {name for name in made if name.startswith("results/")}
    settings = load(config | {"run": names}, "config.yaml", checkout.folder)
    known = set(declared(settings))
    assert len(made) > 500
    assert not made - known, sorted(made - known)[:5]
    # And nothing is missed that no job would make.
    findings = Check(settings, checkout.folder).findings()
    missed = {finding.path for finding in findings if finding.state == MISSING}
    missed = {name for name in missed if name.startswith("results/")}
    assert len(missed) > 500
    assert not missed - made, sorted(missed - made)[:5]
    # A folder that a study left out here would have made is declared all the same.
    left = {name for name in known - made if not Path(name).suffix}
    assert all("asterisk_prompts" in name or "whisper" in name for name in left), sorted(left)[:5]

"""What the rules make is what the studies declare: so pruning and checking see all of it."""

from pathlib import Path

import yaml

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
    known = set(declared(load(config, "config.yaml", checkout.folder)))
    assert len(made) > 500
    assert not made - known, sorted(made - known)[:5]
    # A folder that a study left out here would have made is declared all the same.
    left = {name for name in known - made if not Path(name).suffix}
    assert all("asterisk_prompts" in name or "whisper" in name for name in left), sorted(left)[:5]

"""The environments that are described: conda's, the container's, the catalog's."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
STATUS = ROOT / "workflow/profiles/cluster-generic/status.py"


def pins(file):
    lines = (ROOT / "envs" / file).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_conda_gets_the_same_pins_without_another_file():
    """Snakemake builds from a copy of the file alone, beside which there are no others."""
    environment = yaml.safe_load((ROOT / "envs/nnrd.yaml").read_text())
    (packages,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert sorted(packages) == sorted({*pins("requirements.txt"), *pins("constraints.txt")})
    assert not [line for line in packages if line.startswith("-")]


def test_every_rule_names_its_environment():
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"^rule ", file.read_text(), flags=re.MULTILINE)[1:]:
            assert "\n    conda:\n        ENVIRONMENT\n" in rule, rule.partition(":")[0]


def test_the_catalog_of_workflows_finds_what_it_asks_for():
    asked = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert set(asked) == {"usage"}
    assert asked["usage"]["software-stack-deployment"]["conda"] is True
    assert 'include: "../Snakefile"' in (ROOT / "workflow/Snakefile").read_text()
    assert (ROOT / "config/README.md").is_file()
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme


def test_the_container_s_programs_are_those_that_it_names():
    folder = ROOT / "envs/container"
    for script in folder.glob("*.sh"):
        assert os.access(script, os.X_OK), script
        subprocess.run(["sh", "-n", script], check=True)
        for named in re.findall(r'\$\(dirname "\$0"\)/([\w.]+)', script.read_text()):
            assert (folder / named).is_file(), named
    text = (folder / "Dockerfile").read_text()
    assert "envs/container/work.sh" in text
    for copied in re.findall(r"^COPY (\S+(?: \S+)*) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in copied.split())


def test_a_study_s_script_hands_its_options_to_the_container(tmp_path):
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    docker.chmod(0o755)
    done = subprocess.run(
        [ROOT / "envs/container/speech.sh", "--gpus", "all"],
        env=os.environ | {"DOCKER": str(docker)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = done.stdout.splitlines()
    assert said[-3:] == ["nnrd", "--config", "run=[speech]"]
    assert said[-5:-3] == ["--gpus", "all"]
    assert "nnrd-work:/work" in said and "nnrd-cache:/cache" in said


@pytest.mark.parametrize(
    "printed, state",
    [
        ("JobId=7 JobState=COMPLETED Reason=None", "success"),
        ("JobId=7 JobState=PENDING Reason=Priority", "running"),
        ("JobId=7 JobState=RUNNING Reason=None", "running"),
        ("JobId=7 JobState=COMPLETING Reason=None", "running"),
        ("JobId=7 JobState=FAILED Reason=NonZeroExitCode", "failed"),
        ("JobId=7 JobState=OUT_OF_MEMORY Reason=OutOfMemory", "failed"),
        ("JobId=7 JobState=NODE_FAIL Reason=None", "failed"),
        ("JobId=7 JobState=TIMEOUT Reason=TimeLimit", "failed"),
        ("JobId=7 JobState=CANCELLED Reason=None", "failed"),
        ("slurm_load_jobs error: Invalid job id specified >&2", "failed"),
        ("slurm_load_jobs error: Unable to contact slurm controller >&2", "running"),
    ],
)
def test_a_job_s_state_in_one_word(tmp_path, printed, state):
    scontrol = tmp_path / "scontrol"
    words, _, error = printed.partition(" >&2")
    scontrol.write_text(f'#!/bin/sh\necho "{words}" {">&2" if error or ">&2" in printed else ""}\n')
    scontrol.chmod(0o755)
    done = subprocess.run(
        [sys.executable, STATUS, "7"],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{state}\n"

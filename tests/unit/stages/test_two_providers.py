"""A study whose parts run on two providers, stage by stage; the GPU is pretended."""

import pandas
import pytest
import small_run

from nnrd.runtime import sessions
from nnrd.stages import (
    extract_features,
    extract_outputs,
    infer_anchor,
    infer_features,
    infer_files,
)
from nnrd.study import config

CPU, CUDA = sessions.CPU, sessions.CUDA
PART1 = (extract_features,)
PART2 = (extract_outputs, infer_anchor, infer_files, infer_features)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The study on a machine with a pretended GPU; ``asked``: what sessions were asked for."""
    monkeypatch.chdir(tmp_path)
    small_run.prepare()
    study = small_run.STUDY | {"providers": {"part1": "cpu", "part2": "cuda"}}
    given = {"run": ["small"], "studies": {"small": study}}
    found = small_run.Run(config.load(given, "config.yaml", tmp_path))
    found.asked, opened, stage = {}, sessions.session, small_run.stage

    def session(*args, device=None, **options):
        if found.module in (*PART1, *PART2):
            found.asked[found.module] = device
        return opened(*args, device="cpu", **options)

    def how(session, tf32=False, device=None):
        provider = CUDA if device == "cuda" else CPU
        return {"provider": provider, "precision": "float32"} | (
            {"asked": device} if device else {}
        )

    def on_provider(module, *words, **options):
        part = {"provider": "cpu"} if module in PART1 else {"provider": "cuda"}
        found.module = module
        stage(module, *words, **options, **(part if module in (*PART1, *PART2) else {}))

    for name, function in (("session", session), ("how", how)):
        monkeypatch.setattr(sessions, name, function)
    monkeypatch.setattr(small_run, "stage", on_provider)
    return found


def test_each_stage_runs_on_what_it_is_told_and_the_tables_say_it(run):
    run.all()
    assert run.asked == dict.fromkeys(PART1, "cpu") | dict.fromkeys(PART2, "cuda")
    table = pandas.read_csv("results/tables/small/points.csv")
    assert set(table["provider"]) == set(table["anc_provider"]) == {CUDA}
    assert list(table["part1_provider"].dropna().unique()) == [CPU]
    assert (table["part1_provider"].notna() == table["split"].notna()).all()
    latency = pandas.read_csv("results/tables/small/latency.csv")
    assert latency["total_ms"].isna().tolist() == (latency["where"] == "device").tolist()

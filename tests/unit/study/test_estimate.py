"""What a run will cost, from benchmark files or per-value figures."""

import shutil
from pathlib import Path

import pytest

from nnrd.core import program
from nnrd.stages import estimate_cost
from nnrd.study import config, estimate

ROOT = Path(__file__).parents[3]
VALUES = 37_760_256
SPEECH = {
    "kind": "weights",
    "model": "whisper_tiny_en",
    "dataset": "asterisk_prompts",
    "items": 40,
    "codecs": [{"nnc": {"qp": [-38, -30], "use_dq": True}}],
}
FEATURES = {
    "kind": "features",
    "model": "ssdlite300_mobilenet_v2",
    "dataset": "demo_images",
    "splits": [10],
    "codecs": ["raw"],
}


def settings(**studies):
    given = {"run": list(studies), "studies": studies}
    return config.load(given, "config.yaml", ROOT)


def benchmark(folder, seconds):
    path = Path(folder) / "0-of-1.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\n{seconds}\t0:00:00\n")


def by_rule(study, folder):
    return {cost.rule: cost for cost in estimate.estimate(settings(one=study), folder)}


def test_without_any_measurement(tmp_path):
    found = by_rule(SPEECH | {"shard_size": 20}, tmp_path)
    counts = {rule: cost.jobs for rule, cost in found.items()}
    assert counts == {
        "extract_weights": 1,
        "infer_anchor": 2,
        "encode_tensors": 2,
        "decode_weights": 2,  # once a point, whatever the number of shards
        "infer_weights": 4,
    }
    assert all((cost.measured, cost.unknown) == (0, 0) for cost in found.values())
    assert found["encode_tensors"].seconds == pytest.approx(2 * 1.1e-6 * VALUES)
    assert found["infer_anchor"].seconds == pytest.approx(40 * 22e-9 * VALUES)
    assert found["decode_weights"].seconds == pytest.approx(2 * 0.16e-6 * VALUES)
    assert found["decode_weights"].gpu_seconds == 0
    assert found["infer_weights"].seconds == pytest.approx(2 * 40 * 22e-9 * VALUES)
    assert (found["extract_weights"].seconds, found["extract_weights"].size) == (10, 4 * VALUES)
    assert found["encode_tensors"].size == pytest.approx(2 * 0.12 * 4 * VALUES)
    assert found["encode_tensors"].gpu_seconds == 0 < found["infer_weights"].gpu_seconds


def test_with_benchmark_files(tmp_path):
    at = tmp_path / "benchmarks/encode_tensors/weights/whisper_tiny_en/nnc"
    benchmark(at / "qp=-20", 10)
    benchmark(at / "qp=-10", 30)
    cost = by_rule(SPEECH, tmp_path)["encode_tensors"]
    assert (cost.jobs, cost.measured, cost.seconds) == (2, 2, 40)


def test_what_is_there_costs_nothing(tmp_path):
    study = settings(one=SPEECH).studies["one"]
    (tmp_path / "results" / study.points[0].encoded / "bitstreams/0-of-1").mkdir(parents=True)
    assert by_rule(SPEECH, tmp_path)["encode_tensors"].jobs == 1


def test_bitstreams_that_two_studies_share_count_once(tmp_path):
    other = SPEECH | {"items": 50}
    costs = estimate.estimate(settings(one=SPEECH, two=other), tmp_path)
    assert [c.study for c in costs if c.rule == "encode_tensors"] == ["one"]
    assert [c.study for c in costs if c.rule == "infer_weights"] == ["one", "two"]


def test_what_crosses_a_split_is_known_once_it_was_measured(tmp_path):
    found = by_rule(FEATURES, tmp_path)
    assert (found["extract_features"].unknown, found["encode_tensors"].unknown) == (1, 1)
    folder = "encode_tensors/features/ssdlite300_mobilenet_v2/demo_images/rank10/raw/default"
    benchmark(tmp_path / "benchmarks" / folder, 7)
    cost = by_rule(FEATURES, tmp_path)["encode_tensors"]
    assert (cost.measured, cost.unknown, cost.seconds) == (1, 0, 7)


def test_a_study_of_splits_is_known_once_it_was_measured(tmp_path):
    found = by_rule({"kind": "splits", "models": ["ssd300_resnet50"]}, tmp_path)
    assert found and all(cost.unknown == cost.jobs for cost in found.values())


def test_the_program_says_it(tmp_path, capsys):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    words = ["--configfile", str(tmp_path / "config/config.yaml"), "--folder", str(tmp_path)]
    program.run(estimate_cost, [*words, "--run", '["classification"]'])
    said = capsys.readouterr().out.splitlines()
    assert said[0].split()[:3] == ["study", "rule", "jobs"]
    assert said[1].startswith("classification  extract_weights")
    assert "core-hours" in said[-1]
    with pytest.raises(SystemExit, match=r"unknown study 'speach'"):
        program.run(estimate_cost, [*words, "--run", '["speach"]'])


def test_benchmarks_of_like_jobs_are_read_once(tmp_path, monkeypatch):
    """Not once a job: a study of 30,000 jobs has as many files."""
    for number in range(3):
        benchmark(tmp_path / f"benchmarks/encode_tensors/weights/whisper_tiny_en/nnc/{number}", 7.0)
    opened = []
    monkeypatch.setattr(estimate, "_mean_seconds", lambda folder: opened.append(folder) or 7.0)
    jobs = by_rule(SPEECH | {"codecs": [{"nnc": {"qp": list(range(-50, 0))}}]}, tmp_path)
    assert jobs["encode_tensors"].measured == 50 and len(opened) == len(set(opened)) == len(jobs)

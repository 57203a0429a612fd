"""What a run will cost, from benchmark files or per-value figures."""

from pathlib import Path

import pytest
from test_studies import FEATURES, SPEECH, settings

from nnrd.study import estimate


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
        "infer_weights_anchor": 2,
        "encode_tensors": 2,
        "infer_weights": 4,
    }
    assert all((cost.measured, cost.unknown) == (0, 0) for cost in found.values())
    assert found["encode_tensors"].seconds == pytest.approx(2 * 1.1e-6 * 37_760_256)
    assert found["extract_weights"].size == 151_041_024
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
    other = SPEECH | {"dataset": "librispeech_test_clean", "items": 50}
    costs = estimate.estimate(settings(one=SPEECH, two=other), tmp_path)
    assert [c.study for c in costs if c.rule == "encode_tensors"] == ["one"]
    assert [c.study for c in costs if c.rule == "infer_weights"] == ["one", "two"]


def test_a_features_study_is_known_once_it_was_measured(tmp_path):
    cost = by_rule(FEATURES, tmp_path)["infer_features"]
    assert (cost.unknown, cost.seconds) == (1, 0)
    folder = "infer_features/ssdlite300_mobilenet_v2/demo_photos/rank10/raw/default"
    benchmark(tmp_path / "benchmarks" / folder, 7)
    cost = by_rule(FEATURES, tmp_path)["infer_features"]
    assert (cost.measured, cost.seconds) == (1, 7)

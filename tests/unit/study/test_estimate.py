"""What a run will cost, from benchmark files or per-value figures."""

import shutil
from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.core import lineage, program
from nnrd.nnc import coders
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


@pytest.fixture(autouse=True)
def coder(monkeypatch):
    """Let NNCodec be what codes, whatever was built here; return what says another one."""
    said = ["nncodec 2.1.3"]
    monkeypatch.setattr(coders, "in_use", lambda: said[0])
    return said


def split_table(folder, model, rows):
    """Write a table of splits: node's name, bytes and multiply-accumulates by rank."""
    path = Path(folder) / f"results/splits/{model}.csv"
    path.parent.mkdir(parents=True)
    lines = ["input,rank,node_name,bytes,macs"]
    lines += [f"static,{rank},{','.join(map(str, row))}" for rank, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n")
    lineage.write_beside(path)


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


ROWS = [("/a", 400, 0), ("/b", 4000, 10**9), ("/c", 1200, 3 * 10**9), ("/d", "", 4 * 10**9)]
SPLIT = FEATURES | {"codecs": ["raw", "float16", {"nnc": {"qp": [-38, -10]}}]}


@pytest.mark.parametrize(
    ("split", "size", "part1"),
    [
        (1, 4000, 1),
        ({"name": "/b", "where": "before"}, 4000, 1),
        ({"name": "/b", "where": "after"}, 1200, 3),
    ],
)
@pytest.mark.parametrize("native", [False, True])
def test_a_table_of_splits_says_what_crosses_and_what_both_parts_take(
    tmp_path, coder, split, size, part1, native
):
    coder[0] = "native" if native else coder[0]
    split_table(tmp_path, "ssdlite300_mobilenet_v2", ROWS)
    items, values = 27, 27 * size / 4
    found = by_rule(SPLIT | {"splits": [split]}, tmp_path)
    assert not any(cost.unknown or cost.measured for cost in found.values())
    second = estimate.MAC * 1e9 * items  # for 10⁹ multiply-accumulates
    assert found["extract_features"].seconds == pytest.approx(part1 * second)
    assert found["extract_features"].size == 4 * values
    encode, decode = estimate.NATIVE if native else (estimate.ENCODE, estimate.DECODE)
    copied = [2 * seconds * values for seconds in estimate.COPIED]
    coded = [2 * seconds * values for seconds in (encode, decode)]
    assert found["encode_tensors"].seconds == pytest.approx(copied[0] + coded[0])
    assert found["encode_tensors"].size == pytest.approx(4 * values * (1 + 0.5 + 2 * 0.12))
    sinks = 4 * (4 - part1) * second
    assert found["infer_features"].seconds == pytest.approx(sinks + copied[1] + coded[1])
    assert found["infer_anchor"].seconds == pytest.approx(4 * second)
    assert found["split_model"].size == 4 * 4475504
    assert found["infer_features"].tables == ("ssdlite300_mobilenet_v2",)


@pytest.mark.parametrize("splits", [[3], [{"tensors": ["a"]}], [{"name": "/z"}]])
def test_what_a_table_does_not_say_stays_unknown(tmp_path, splits):
    """A size that only a run can tell, a cut at tensors, a node that is not there."""
    split_table(tmp_path, "ssdlite300_mobilenet_v2", ROWS)
    found = by_rule(SPLIT | {"splits": splits}, tmp_path)
    assert found["extract_features"].unknown == 1


def test_the_same_network_with_other_weights_tells_of_one_that_is_not_there(tmp_path):
    split_table(tmp_path, "ssd300_resnet50", ROWS)
    study = SPLIT | {"model": "ssd300_resnet50_coco", "splits": [1]}
    found = by_rule(study, tmp_path)
    assert found["extract_features"].tables == ("ssd300_resnet50",)
    table = tmp_path / "results/splits/ssd300_resnet50.csv"
    table.write_text(table.read_text().replace("4000", "5000"))
    with pytest.raises(UserError, match="damaged"):
        by_rule(study, tmp_path)


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

"""A point's record: held against an anchor of the same device, or refused."""

import argparse
import json

import pytest

from nnrd import UserError
from nnrd.core import files, lineage
from nnrd.report import records
from nnrd.stages import score_point
from nnrd.study import lists
from nnrd.tasks import REGISTRY as TASKS

INDEX = {"items": [{"name": "a", "path": "a.png", "checksum": "", "facts": {"label": 1}}]}
TIMES = {"item": "a", "pre_time": 0.1, "run_time": 0.2, "post_time": 0.3}
CPU, GPU = "CPUExecutionProvider", "CUDAExecutionProvider"


def step(path, provider, *rows, inputs=()):
    how = {"threads": 1, "isolated": False, "provider": provider, "precision": "float32"}
    of = lineage.of([path.with_name("predictions.json")], inputs)
    files.write_record(path, how | {"made": {}, "rows": list(rows)} | of)


def score(at, name, **more):
    label = {"model": "m", "dataset": "d", "codec": name, "parameters": {}, "runtime": "onnx"}
    given = {"task": "classification", "point": json.dumps(label), "index": at / "index.json"}
    given |= {"anchor": at / "predictions.json", "predictions": at / "predictions.json"}
    parser = argparse.ArgumentParser()
    score_point.add_arguments(parser)
    given |= {"out": at / f"{name}/point.json"} | more
    words = [w for key, v in given.items() for w in (f"--{key.replace('_', '-')}", str(v))]
    score_point.main(parser.parse_args(words))
    return files.read_record(at / f"{name}/point.json")["point"]


@pytest.fixture
def folder(tmp_path):
    empty: dict[str, dict] = {key: {} for key in ("categories", "skipped", "counts")}
    files.write_record(tmp_path / "index.json", INDEX | empty)
    found = {"predictions": [{"item": "a", "classes": [1, 2, 3, 4, 5]}]}
    files.write_record(tmp_path / "predictions.json", found)
    read = [tmp_path / "index.json"]
    step(tmp_path / "anchor.json", CPU, TIMES | {"input_size": 12}, inputs=read)
    score(tmp_path, "anchor", inferred=tmp_path / "anchor.json")
    return tmp_path


def point(folder, provider):
    step(folder / "encoded.json", None, {"item": "a", "anc_size": 8, "rec_size": 2})
    read = [folder / "index.json", folder / "encoded.json"]
    step(folder / "inferred.json", provider, TIMES, inputs=read)
    given = {"inferred": folder / "inferred.json", "encoded": folder / "encoded.json"}
    return score(folder, "nnc", **given, anchor_record=folder / "anchor/point.json")


def test_a_point_of_the_anchors_device(folder):
    found = point(folder, CPU)
    assert found["provider"] == found["anc_provider"] == CPU and found["number_format"] == "float32"


def test_a_point_never_stands_against_an_anchor_of_another_device(folder):
    with pytest.raises(UserError, match=rf"nnc/point\.json: the point ran on {GPU}") as caught:
        point(folder, GPU)
    assert f"its anchor on {CPU}" in str(caught.value) and "\n" not in str(caught.value)
    assert not (folder / "nnc/point.json").exists()


def test_of_many_shards_the_files_are_named_in_a_file(folder, monkeypatch):
    """A command holds 128 kB, which the files of some 300 shards fill."""
    monkeypatch.chdir(folder)
    few = ["--index", "index.json"]
    assert lists.fitting(few) == few
    many = [*few, "--predictions", *(f"results/{n:0100}.json" for n in range(1000))]
    (option,) = lists.fitting(many)
    parser = argparse.ArgumentParser()
    score_point.add_arguments(parser)
    args = parser.parse_args([option, "--task", "asr", "--point", "{}", "--out", "o.json"])
    assert [str(file) for file in args.predictions] == many[3:]


def test_no_metric_has_the_name_of_a_measured_column():
    """Detection's precision once took the place of the format of numbers, and was compared."""
    step_of = {"rows": [TIMES], "threads": 1, "provider": CPU, "precision": "float32"}
    steps = {"source": None, "encoded": step_of, "decoded": None, "inferred": step_of}
    measured = set(records.measured(steps)) | {"task", "split", "anc_perf", "rec_perf"}
    for name in TASKS.names():
        task = TASKS.get(name)()
        columns = {c for m in (*task.metrics, *task.others) for c, _ in m.columns()}
        assert not (columns | set(task.count_columns)) & measured, name

"""A split is checked before any work where the graph is known: from its file or its export."""

import itertools
import json
from pathlib import Path

import onnx
import pytest
from small_models import FLOAT, X, model, node

from nnrd import UserError
from nnrd.core.files import write_record
from nnrd.models.facts import facts_of
from nnrd.study.config import load
from nnrd.study.jobs import Jobs
from nnrd.study.points import Split

ROOT = Path(__file__).parents[3]
FAMILY = "ssdlite300_mobilenet_v2"
COLUMNS = {"model": FAMILY, "family": FAMILY, "weights": "asset"}
NODES = ["conv", "/block.1/relu", "/block_1/relu", "twin", "twin", ""]
MAKERS = {f"t{rank}": rank for rank in range(6)}
STUDY = {
    "kind": "features",
    "model": FAMILY,
    "dataset": "demo_images",
    "splits": [2],
    "codecs": ["raw"],
}


def settings(root, *splits, **more):
    given = {"run": ["one"], "studies": {"one": STUDY | {"splits": list(splits)} | more}}
    return load(given | more.pop("config", {}), "c.yaml", root, ROOT)


@pytest.fixture
def known(tmp_path):
    """A folder in which the detector was exported."""
    facts = {"row": COLUMNS, "graph": {"nodes": NODES, "makers": MAKERS}}
    write_record(tmp_path / f"results/models/{FAMILY}.json", facts)
    return tmp_path


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ([6], "splits[0]: rank 6 is out of range 1..5 of results/models/ssdlite300"),
        ([2, 450], "splits[1]: rank 450 is out of range 1..5"),
        ([{"name": "conv"}], "splits[0]: before 'conv' is out of range 1..5"),
        ([{"name": "t5", "where": "after"}], "splits[0]: after 't5' is out of range"),
        ([{"name": "conf"}], "splits[0]: no node is called 'conf'; nearest: conv"),
        ([{"name": "RELU"}], "nearest: /block.1/relu, /block_1/relu"),
        ([{"name": "foo"}], "no node is called 'foo'; `nnrd tabulate MODEL` lists them"),
        ([{"name": "twin"}], "2 nodes are called 'twin': split by rank, of [3, 4]"),
        ([1, {"name": "/block.1/relu"}], "splits[1]: cuts before rank 1, as splits[0] does"),
        (
            [{"name": "conv", "where": "after"}, {"name": "/block.1/relu"}],
            "splits[1]: cuts before rank 1, as splits[0] does",
        ),
    ],
)
def test_what_is_refused(known, splits, message):
    with pytest.raises(UserError) as caught:
        settings(known, *splits)
    said = str(caught.value)
    assert message in said and said.startswith("c.yaml: studies.one.splits[") and "\n" not in said


def test_what_cuts_elsewhere_is_made(known):
    points = settings(known, 1, {"name": "t1", "where": "after"}, 4)
    assert len(points.studies["one"].points) == 3


@pytest.mark.parametrize("other", [{"variant": "x"}, {"weights": "random"}])
def test_facts_of_another_row_say_nothing(known, other):
    facts = {"row": COLUMNS | other, "graph": {"nodes": NODES, "makers": MAKERS}}
    write_record(known / f"results/models/{FAMILY}.json", facts)
    assert settings(known, 450).studies
    (known / f"results/models/{FAMILY}.json").write_text("{")
    assert settings(known, 450).studies


def own_model(folder, count):
    """An ONNX file of one's own with a row and an asset in the configuration."""
    names = ["x", *(f"n{i}" for i in range(1, count)), "y"]
    nodes = [node("Relu", a, b) for a, b in itertools.pairwise(names)]
    onnx.save(model(nodes, X, {"y": (FLOAT, None)}), folder / "own.onnx")
    asset = {"file": "own.onnx", "source": "file:own.onnx", "license": "mine"}
    row = {"family": "own_family", "weights": "asset", "asset": "own", "file": "own.onnx"}
    return {"assets": {"own": asset}, "models": {"own": row | {"task": "detection"}}}


def test_an_onnx_file_is_read_where_it_is(tmp_path, monkeypatch):
    from nnrd.models import REGISTRY, Family

    registry = REGISTRY.get(FAMILY).pipeline
    monkeypatch.setattr(REGISTRY, "target", lambda name: "m:F")
    monkeypatch.setattr(REGISTRY, "get", lambda name: Family(pipeline=registry))
    given = own_model(tmp_path, 11)
    loaded = {"run": ["one"], "studies": {"one": STUDY | {"model": "own", "splits": [11]}}} | given
    with pytest.raises(UserError, match=r"rank 11 is out of range 1\.\.10 of .*own\.onnx"):
        load(loaded, "c.yaml", tmp_path, ROOT)
    loaded["studies"]["one"]["splits"] = [{"name": "/n5"}, 5]
    assert load(loaded, "c.yaml", tmp_path, ROOT).studies  # /n5 is node 4
    (tmp_path / "own.onnx").write_text("no model")
    with pytest.raises(UserError, match=r"own\.onnx: not an ONNX model"):
        load(loaded, "c.yaml", tmp_path, ROOT)


def test_facts_hold_the_graph(tmp_path):
    own_model(tmp_path, 3)
    found = facts_of(tmp_path / "own.onnx")["graph"]
    assert found == {"nodes": ["/n1", "/n2", "/y"], "makers": {"n1": 0, "n2": 1, "y": 2}}
    assert json.loads(json.dumps(found)) == found


def test_the_table_calls_a_split_what_the_user_does(known):
    named = settings(known, {"name": "t1"}, 3).studies["one"].points
    assert [point.label.get("split_name") for point in named] == ["t1", None]
    assert [point.split for point in named] == [Split(name="t1"), Split(rank=3)]


BOX = {"categories": "coco80", "threshold": 0.3, "form": "yxyx"}


@pytest.mark.parametrize(
    ("options", "input_changes"),
    [(BOX, False), ({"size": [8, 8]}, True), (BOX | {"colours": "bgr"}, True), ({}, False)],
)
def test_options_of_what_stands_behind_make_no_tensor_anew(tmp_path, options, input_changes):
    """Nor does any option of a model that is a file make its graph or its weights anew."""
    given, told = own_model(tmp_path, 4), []
    for said in ({}, options):
        given["models"]["own"] |= {"family": "onnx_detectors", "options": said}
        study = {"run": ["one"], "studies": {"one": STUDY | {"model": "own"}}}
        jobs = Jobs(load(study | given, "c", tmp_path, ROOT))
        where = {"model": "own", "data": "demo_images", "split": "rank2"}
        told.append([f(where) for f in (jobs.graph_model, jobs.input_model, jobs.model)])
    (graph, before, whole), (other_graph, other_before, other_whole) = told
    assert graph == other_graph and (whole != other_whole) is bool(options)
    assert (before != other_before) is input_changes

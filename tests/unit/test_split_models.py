"""TR 26.847's models and tables, clause 5.3.9; and a real model at all its ranks."""

import importlib
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import nnrd.split
from nnrd import UserError, architectures
from nnrd.architectures import base, retinanet
from nnrd.runtime import sessions as inference
from nnrd.split import comparison, feeding
from nnrd.split.measuring import Meter

TABLES = Path(__file__).resolve().parents[2] / "config/tr26847"
SSD_ROWS = pd.read_csv(TABLES / "ssd300_resnet50.csv")
RETINANET_ROWS = pd.read_csv(TABLES / "retinanet_resnet50_fpn_v2.csv")
DATA = Path(os.environ.get("NNRD_DATA", "/nonexistent"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="NNRD_DATA names no folder of real data")
RETINANET_IMAGE = np.random.default_rng(0).random((3, 428, 640), np.float32)


def export(architecture, path, change=lambda network: None):
    torch.set_num_threads(1)
    network = base.load(architecture, "random")
    change(network)
    base.export(architecture, network, path)
    return network


@pytest.fixture(scope="module")
def ssd(tmp_path_factory):
    path = tmp_path_factory.mktemp("ssd") / "ssd300.onnx"
    export(architectures.get("ssd300_resnet50"), path)
    return path


@pytest.fixture(scope="module")
def ssd_table(ssd):
    return nnrd.split.table(nnrd.split.load(ssd))


def parts_equal_whole(path, ranks, feeds, tmp_path, rule="lean"):
    """Split, save, run; return the bytes sent at each rank."""
    graph = nnrd.split.Graph(nnrd.split.load(path))
    whole = inference.run(inference.session(path), feeds)
    sizes = {}
    for rank in ranks:
        plan = nnrd.split.cut(graph, rank, rule=rule)
        for part, name in zip(nnrd.split.extract(graph, plan), ("1", "2"), strict=True):
            nnrd.split.save(part, tmp_path / f"{name}.onnx")
        sent = inference.run(inference.session(tmp_path / "1.onnx"), feeds)
        assert tuple(sent) == plan.crossing
        got = inference.run(inference.session(tmp_path / "2.onnx"), sent)
        assert list(got) == list(whole)
        for name, expected in whole.items():
            np.testing.assert_array_equal(got[name], expected, err_msg=f"{name}, rank {rank}")
        sizes[rank] = sum(value.nbytes for value in sent.values())
    return sizes


def test_ssd300_has_the_node_names_of_the_tr(ssd_table):
    assert len(ssd_table) + 1 == 155  # the TR's last rank is 154: it counts from 0


@pytest.mark.parametrize("row", range(len(SSD_ROWS)))
def test_ssd300_row_of_the_tr(ssd_table, row):
    compared = comparison.ranks(SSD_ROWS, ssd_table).iloc[row]
    assert compared.difference == ""
    assert compared.rank_ours == compared.rank_theirs
    for column in ("node", "size_mbytes", "branches"):
        assert compared[f"{column}_ours"] == compared[f"{column}_theirs"]
    for rate in ("500mbps", "1gbps", "5gbps"):
        assert compared[f"latency_ms_{rate}_ours"] == compared[f"latency_ms_{rate}_theirs"]


def test_ssd300_tensors_and_branches_of_the_tr(ssd, ssd_table):
    graph = nnrd.split.Graph(nnrd.split.load(ssd))
    sizes = nnrd.split.sizes.static_sizes(graph)
    first = next(name for name in graph.nodes[0].output if name.endswith("Conv_output_0"))
    found = [sizes[name].value for name in ("input", first, "output1", "output2")]
    assert found == [1_080_000, 5_760_000, 139_712, 2_829_168]
    assert ssd_table.plain_branches.max() == 13
    # Consolidation: only before the last node is an output of the model already made.
    made = {r: nnrd.split.cut(graph, r).passed_through for r in range(1, 155)}
    assert {r for r, names in made.items() if names} == {154}
    assert made[154] == ("output1",)


def test_ssd300_splits_exactly(ssd, ssd_table, tmp_path):
    feeds = {"input": np.random.default_rng(0).random((1, 3, 300, 300), np.float32)}
    sizes = parts_equal_whole(ssd, [1, 60, 100, 152, 154], feeds, tmp_path)
    assert sizes == {rank: ssd_table.bytes[rank - 1] for rank in sizes}


def test_ssd300_takes_a_checkpoint_of_nvidia_s_layout(tmp_path):
    architecture = architectures.get("ssd300_resnet50")
    network = base.load(architecture, "random", seed=1)
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({"model": state}, tmp_path / "weights.pt")
    read = base.load(architecture, str(tmp_path / "weights.pt"))
    assert torch.equal(read.conf[0].weight, network.conf[0].weight)
    torch.save({"conf.0.weight": torch.zeros(1)}, tmp_path / "other.pt")
    (tmp_path / "noise.pt").write_bytes(b"noise")
    wrong = {"other.pt": "don't fit", "noise.pt": "not a PyTorch", "absent.pt": "no such file"}
    for name, message in wrong.items():
        with pytest.raises(UserError, match=message):
            base.load(architecture, str(tmp_path / name))


def test_weights_that_cannot_be_fetched_are_one_line():
    with pytest.raises(UserError, match="cannot be fetched") as error:
        base.fetch("http://127.0.0.1:9/weights.pth")
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="no published weights"):
        base.load(architectures.get("nerf"), "published")
    with pytest.raises(UserError, match="unknown architecture 'ssd'; known: ssd"):
        architectures.get("ssd")


@needs_data
def test_fastestdet_splits_exactly_at_every_rank(tmp_path):
    path = DATA / "fastestdet" / "FastestDet.onnx"
    model = nnrd.split.load(path)
    image = sorted((DATA / "coco_val50" / "images").iterdir())[0]
    feeds = feeding.read(model, image)
    sizes = parts_equal_whole(path, range(1, len(model.graph.node)), feeds, tmp_path)
    table = nnrd.split.table(model, Meter(model)(feeds))
    assert table.bytes.tolist() == list(sizes.values())


# Small enough for every rank; five classes, so few anchors.
SMALL_RETINANET = replace(
    retinanet.RETINANET, build=partial(retinanet.build, classes=5, min_size=64, max_size=96)
)


@pytest.mark.slow
@pytest.mark.parametrize("bias", [-2.0, -30.0], ids=["detections", "none"])
def test_small_retinanet_splits_exactly(tmp_path, bias):
    """With a bias of -30 no anchor passes: the shapes ONNX infers are wrong then."""

    def change(network):
        torch.nn.init.constant_(network.head.classification_head.cls_logits.bias, bias)

    path = tmp_path / "retinanet.onnx"
    export(SMALL_RETINANET, path, change)
    feeds = {"input": RETINANET_IMAGE[:, :200, :120]}
    found = inference.run(inference.session(path), feeds)
    assert (len(found["scores"]) == 0) == (bias == -30)
    model = nnrd.split.load(path)
    count = len(model.graph.node)
    ranks = [*range(1, count, 61), *range(count - 8, count)]
    table = nnrd.split.table(model, Meter(model)(feeds)).set_index("rank")
    for rule, column, some in (("lean", "bytes", ranks), ("plain", "plain_bytes", ranks[::6])):
        sizes = parts_equal_whole(path, some, feeds, tmp_path, rule)
        assert sizes == table[column][some].to_dict()


@pytest.fixture(scope="module")
def full_retinanet(tmp_path_factory):
    path = tmp_path_factory.mktemp("retinanet") / "retinanet.onnx"
    export(retinanet.RETINANET, path)
    return path


@pytest.fixture(scope="module")
def retinanet_table(full_retinanet):
    model = nnrd.split.load(full_retinanet)
    return nnrd.split.table(model, Meter(model)({"input": RETINANET_IMAGE}))


@pytest.mark.slow
def test_retinanet_rows_of_the_tr(retinanet_table):
    compared = comparison.ranks(RETINANET_ROWS, retinanet_table)
    assert len(compared) == 22 and not compared.difference.str.contains("not explained").any()
    assert (compared.rank_theirs - compared.rank_ours == 2).all()
    assert (compared.branches_theirs == compared.branches_ours - compared.captured).all()
    same = compared.node_theirs == compared.node_ours
    assert list(compared.rank_theirs[~same]) == [1700, 2000, 2100]  # numbered constants
    before = compared[compared.rank_theirs < 1500]  # from there, the weights decide
    assert (before.size_mbytes_ours == before.size_mbytes_theirs).all()
    assert retinanet_table.plain_branches.max() == 85


@pytest.mark.slow
def test_retinanet_s_consolidation_and_what_the_lean_rule_saves(full_retinanet, retinanet_table):
    graph = nnrd.split.Graph(nnrd.split.load(full_retinanet))
    made = [r for r in range(1, len(graph.nodes)) if nnrd.split.cut(graph, r).passed_through]
    assert made == list(range(2228, 2247))  # the TR's 2230 to 2248, less its two nodes
    assert nnrd.split.table(graph).needs_inference.gt(0).all()
    table = retinanet_table.set_index("rank")
    assert (table.bytes <= table.plain_bytes).all() and (table.branches < 30).all()
    assert table.plain_bytes[798] - table.bytes[798] > 35e6


@pytest.mark.slow
def test_retinanet_splits_exactly(full_retinanet, retinanet_table, tmp_path):
    ranks = [1, 298, 798, 1498, 2198, 2240]
    sizes = parts_equal_whole(full_retinanet, ranks, {"input": RETINANET_IMAGE}, tmp_path)
    assert sizes == retinanet_table.set_index("rank").bytes[ranks].to_dict()


@pytest.mark.slow
def test_measuring_retinanet_takes_no_memory_for_the_tensors(full_retinanet, retinanet_table):
    """They are 4 GB together; unless Shape nodes run at once, all of them are kept."""
    bench = importlib.import_module("bench_split")
    feeds = {"input": RETINANET_IMAGE}
    plain, metered = (
        bench.measured(action, full_retinanet, feeds)[1] for action in (bench.ran, bench.metered)
    )
    # Beyond an ordinary run: the model as loaded, and as handed to ONNX Runtime.
    assert metered - plain < 2.5 * full_retinanet.stat().st_size / 1e6


SPLITABILITY = pd.read_csv(TABLES / "splitability.csv")
# Ours by the TR's count where it isn't the TR's.
OTHERS = {"yolo-v4": 6, "inception": 6, "nerf": 22}


@pytest.mark.slow
@pytest.mark.parametrize("model", SPLITABILITY.model[2:])  # the first two have their own tests
def test_splitability_and_the_export_of(model, tmp_path):
    name = comparison.MODELS.get(model, model)
    architecture = architectures.get(name)
    path = tmp_path / f"{name}.onnx"
    network = export(architecture, path)
    table = nnrd.split.table(nnrd.split.load(path))
    assert table.needs_inference.max() == 0  # every size is static
    reference = SPLITABILITY[SPLITABILITY.model == model]
    (row,) = comparison.rows(comparison.splitability(reference, {name: table}))
    assert row.max_branches_ours == OTHERS.get(name, row.max_branches_theirs)
    assert (row.difference == "") == (name not in OTHERS) and "not expl" not in row.difference
    feeds = feeding.random(nnrd.split.load(path), {})
    with torch.no_grad():
        expected = network(*map(torch.from_numpy, feeds.values()))
    expected = expected if isinstance(expected, tuple) else (expected,)
    for ours, theirs in zip(
        inference.run(inference.session(path), feeds).values(), expected, strict=True
    ):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-3, atol=1e-4)

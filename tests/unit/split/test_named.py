"""Cuts at named tensors: part II starts from these, and both parts are the whole bit for bit."""

import argparse

import numpy as np
import onnx
import pytest
from small_models import FLOAT, INT64, MODELS, X, feeds, floats, model, node

import nnrd.split
from nnrd import UserError
from nnrd.core.files import read_record
from nnrd.runtime import sessions
from nnrd.split.measuring import Meter
from nnrd.split.sizes import PART_BYTES, part_bytes, row_at
from nnrd.stages import split_model


def run(part, given):
    return sessions.run(sessions.session(part.SerializeToString()), given)


def check(small, plan):
    """Both parts, one behind the other, are the whole."""
    given = feeds(small)
    first, second = nnrd.split.extract(small, plan)
    sent = run(first, given)
    assert tuple(sent) == plan.crossing
    whole, got = run(small, given), run(second, sent)
    assert list(got) == list(whole)
    for name, expected in whole.items():
        np.testing.assert_array_equal(got[name], expected, err_msg=name)
    return {node.op_type for node in second.graph.node}


@pytest.mark.parametrize("name", MODELS)
def test_what_crosses_a_rank_cuts_when_it_is_named(name):
    small = MODELS[name]()
    for rank in range(1, len(small.graph.node)):
        at_rank = nnrd.split.cut(small, rank)
        tensors = [n for n in at_rank.crossing if n not in at_rank.shape_names]
        if tensors:
            plan = nnrd.split.cut(small, tensors=tensors)
            check(small, plan)
            assert set(plan.crossing) <= set(at_rank.crossing)
            assert plan.where == "at" and plan.rank <= rank


def pyramid():
    """A backbone of two levels, a head on each; part II also asks for the image's size."""
    nodes = [node("Sin", "x", "low"), node("AveragePool", "low", "high", kernel_shape=[2, 2])]
    nodes += [node("Neg", "low", "head_low"), node("Exp", "high", "head_high")]
    nodes += [node("Flatten", "head_low", "flat_low"), node("Flatten", "head_high", "flat_high")]
    nodes += [node("Concat", "flat_low flat_high", "heads", axis=1)]
    nodes += [node("Shape", "x", "size"), node("Cast", "size", "numbers", to=FLOAT)]
    nodes += [node("ReduceSum", "numbers", "scale"), node("Mul", "heads scale", "y")]
    return model(nodes, X, {"y": (FLOAT, None)})


def test_maps_of_a_pyramid_cut_and_the_images_size_crosses_by_itself():
    small = pyramid()
    plan = nnrd.split.cut(small, tensors=["high", "low"])
    assert plan.crossing == ("x:shape", "low", "high")
    assert plan.shape_only == ("x",) and plan.model_inputs == () and plan.branches == 3
    kinds = check(small, plan)
    assert not kinds & {"Sin", "AveragePool"} and {"Neg", "Exp", "Concat"} <= kinds
    first, _ = nnrd.split.extract(small, plan)
    assert {node.op_type for node in first.graph.node} == {"Sin", "AveragePool", "Shape"}


def test_tensors_need_not_stand_at_one_rank():
    """No rank cuts so: between the two, in the file, is what part II runs."""
    plan = nnrd.split.cut(pyramid(), tensors=["head_low", "high"])
    assert set(plan.crossing) == {"x:shape", "head_low", "high"}
    check(pyramid(), plan)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (["flat_low"], r"do not cut the model: node /heads \(rank 6\) needs 'flat_high', .*'x'"),
        (["scale"], r"do not cut the model: node /y \(rank 10\) needs 'heads'"),
        (["lowe"], "no tensor is called 'lowe'; nearest: low"),
        (["high", "high"], "tensor 'high' is given twice"),
        (["low", "high", "head_low"], "leave it out"),
        (["y"], "nothing is left behind the cut"),
        ([], "needs the name of one"),
    ],
)
def test_tensors_that_do_not_cut(tensors, message):
    with pytest.raises(UserError, match=message) as caught:
        nnrd.split.cut(pyramid(), tensors=tensors)
    assert "\n" not in str(caught.value)


def test_constants_and_random_nodes():
    with pytest.raises(UserError, match="tensor 'six' is constant: part II has it"):
        nnrd.split.cut(MODELS["constants"](), tensors=["six"])
    nodes = [node("RandomNormal", "", "noise", shape=[1]), node("Add", "x noise", "a")]
    small = model([*nodes, node("Mul", "a noise", "y")], X, {"y": (FLOAT, None)})
    with pytest.raises(UserError, match="both parts would run the random node /noise"):
        nnrd.split.cut(small, tensors=["a"])
    assert nnrd.split.cut(small, tensors=["a", "noise"]).branches == 2


def test_an_input_may_be_named():
    """Then it is sent whole, and that is said."""
    plan = nnrd.split.cut(MODELS["residual"](), tensors=["d", "x"])
    assert plan.crossing == ("x", "d") and plan.model_inputs == ("x",)
    check(MODELS["residual"](), plan)


def test_a_value_that_is_needed_beside_its_shape_is_not_sent_as_a_shape():
    nodes = [node("Shape", "x", "s"), node("ConstantOfShape", "s", "zeros"), node("Sin", "x", "a")]
    nodes += [node("Shape", "zeros", "t"), node("Add", "a zeros", "b"), node("Expand", "b t", "y")]
    small = model(nodes, X, {"y": (FLOAT, None), "t": (INT64, None)})
    plan = nnrd.split.cut(small, tensors=["a"])
    assert plan.crossing == ("x:shape", "a")
    check(small, plan)


@pytest.mark.parametrize(
    "more", [{"rank": 2}, {"name": "/a"}, {"where": "after"}, {"rule": "plain"}]
)
def test_tensors_stand_alone(more):
    with pytest.raises(UserError):
        nnrd.split.cut(pyramid(), tensors=["low", "high"], **more)


def test_a_row_of_the_table_has_what_is_sent():
    small = pyramid()
    given = feeds(small)
    plan = nnrd.split.cut(small, tensors=["low", "high"])
    parts = nnrd.split.extract(small, plan)
    sent = run(parts[0], given)
    (row,) = row_at(small, ["low", "high"], "maps", Meter(small)(given)).to_dict("records")
    assert row["bytes"] == row["plain_bytes"] == sum(array.nbytes for array in sent.values())
    assert (row["branches"], row["needs_inference"], row["node_name"]) == (3, 0, "at maps")
    table = nnrd.split.table(small, Meter(small)(given))
    assert set(row) == set(table.columns)
    sizes = part_bytes(small, ["low", "high"])
    assert set(sizes) == set(PART_BYTES)
    assert [sizes[name] for name in PART_BYTES] == [len(p.SerializeToString()) for p in parts]


def test_the_program_cuts_at_tensors(tmp_path, capsys):
    onnx.save(pyramid(), tmp_path / "m.onnx")
    parser = argparse.ArgumentParser()
    split_model.add_arguments(parser)
    words = [str(tmp_path / "m.onnx"), "--tensors", "low", "high", "--out", str(tmp_path / "parts")]
    split_model.main(parser.parse_args(words))
    assert "split at low, high, made before rank 2 of 11" in capsys.readouterr().out
    record = read_record(tmp_path / "parts/split.json")
    assert (record["where"], record["node_name"], record["branches"]) == ("at", "low, high", 3)
    sent = run(onnx.load(tmp_path / "parts/part1.onnx"), {"x": floats(1, 4, 6, 6)})
    assert list(sent) == record["crossing"]

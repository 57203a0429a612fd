import json
import time
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from small_models import MODELS, X, constant, feeds, floats, model, node

import nnrd.split
from nnrd import UserError
from nnrd.runtime import sessions as inference
from nnrd.split import files
from nnrd.split.measuring import Meter
from nnrd.split.plan import RULES, Plan


def run(part, given):
    return inference.run(inference.session(part.SerializeToString()), given)


@pytest.fixture(params=MODELS)
def small(request):
    return MODELS[request.param]()


@pytest.mark.parametrize("rule", RULES)
def test_part_one_and_two_equal_the_whole_bit_for_bit_at_every_rank(small, rule):
    given = feeds(small)
    whole = run(small, given)
    for rank in range(1, len(small.graph.node)):
        plan = nnrd.split.cut(small, rank, rule=rule)
        first, second = nnrd.split.extract(small, plan)
        sent = run(first, given)
        assert tuple(sent) == plan.crossing
        assert tuple(value.name for value in second.graph.input) == plan.crossing
        assert not any(v.type.tensor_type.HasField("shape") for v in second.graph.input)
        got = run(second, sent)
        assert list(got) == list(whole)
        for name, expected in whole.items():
            np.testing.assert_array_equal(got[name], expected, err_msg=f"{name} at rank {rank}")
            assert got[name].dtype == expected.dtype


def test_table_agrees_with_each_cut_and_with_what_the_parts_send(small):
    given = feeds(small)
    table = nnrd.split.table(small, Meter(small)(given)).set_index("rank")
    assert list(table.index) == list(range(1, len(small.graph.node)))
    for rank, row in table.iterrows():
        plan = nnrd.split.cut(small, rank)
        assert (row.branches, row.plain_branches) == (plan.branches, plan.plain_branches)
        assert sorted(row["names"].split()) == sorted(plan.crossing)
        assert row.node_name == plan.node_name
        for rule, size in (("lean", row.bytes), ("plain", row.plain_bytes)):
            sent = run(nnrd.split.extract(small, nnrd.split.cut(small, rank, rule=rule))[0], given)
            if all(isinstance(value, np.ndarray) for value in sent.values()):
                assert size == sum(value.nbytes for value in sent.values())


def test_static_sizes_where_known_equal_the_measured(small):
    static, measured = nnrd.split.table(small), nnrd.split.table(small, Meter(small)(feeds(small)))
    for column in ("bytes", "plain_bytes"):
        known = static[column].notna()
        assert (static[column] == measured[column])[known].all()
        assert known.eq(static[column.replace("bytes", "needs_inference")] == 0).all()


def test_a_split_of_a_split_equals_the_whole():
    small = MODELS["shape_only"]()
    given = feeds(small)
    for outer in range(2, len(small.graph.node)):
        part, _ = nnrd.split.extract(small, nnrd.split.cut(small, outer))
        expected = run(part, given)
        for inner in range(1, len(part.graph.node)):
            first, second = nnrd.split.extract(part, nnrd.split.cut(part, inner))
            got = run(second, run(first, given))
            assert all(np.array_equal(got[name], expected[name]) for name in expected)


# name: (model, rank, lean crossing, plain crossing)
CROSSINGS = {
    "residual": ("residual", 3, "x a c", "x a c"),
    "output made before crosses": ("early_output", 2, "first a", "first a"),
    "outputs in order": ("early_output", 4, "first second b", "first second b"),
    "input read later": ("residual", 1, "x a", "x a"),
    "input that is an output": ("input_is_output", 2, "x b", "x b"),
    "constants stay with part II": ("constants", 4, "a", "two three six a"),
    "nothing but the input": ("constants", 1, "x", "x two"),
    "shapes": ("shape_only", 3, "x:shape a:shape c", "x a c"),
    "a value and a shape": ("shape_only", 2, "x:shape a:shape b", "x a b"),
    "captured by If": ("branch", 5, "a b positive", "a b positive"),
    "captured by Loop": ("loop", 4, "a b", "a count yes b"),
    "a dead reader": ("optional_and_unused", 3, "b", "dead b"),
}


@pytest.mark.parametrize("case", CROSSINGS)
def test_what_crosses(case):
    name, rank, lean, plain = CROSSINGS[case]
    plan = nnrd.split.cut(MODELS[name](), rank)
    assert plan.crossing == tuple(lean.split())
    assert plan.plain_crossing == tuple(plain.split())


def test_the_plan_says_which_tensors_are_special():
    plan = nnrd.split.cut(MODELS["shape_only"](), 3)
    assert plan.shape_only == ("x", "a") and plan.shape_names == ("x:shape", "a:shape")
    assert plan.model_inputs == () and plan.passed_through == ()
    plan = nnrd.split.cut(MODELS["early_output"](), 4)
    assert plan.passed_through == ("first", "second")
    assert nnrd.split.cut(MODELS["residual"](), 1).model_inputs == ("x",)


def test_the_plan_survives_json():
    plan = nnrd.split.cut(MODELS["shape_only"](), 3)
    record = json.loads(json.dumps(plan.as_record()))
    assert Plan.from_record(record) == plan
    assert record["branches"] == 3
    for broken in ("", [], {"rank": 1}):
        with pytest.raises(UserError, match="not a split plan"):
            Plan.from_record(broken)


def test_name_and_after_are_the_same_split_as_the_rank():
    small = MODELS["residual"]()
    at = nnrd.split.cut(small, 3)
    assert replace(nnrd.split.cut(small, name="/c", where="after"), where="before") == at
    assert nnrd.split.cut(small, name="/d") == at
    assert nnrd.split.cut(small, name="d") == at  # the tensor it makes
    assert replace(nnrd.split.cut(small, 2, where="after"), where="before") == at


def test_a_random_node_without_inputs_is_not_a_constant():
    nodes = [node("RandomNormal", "", "noise", shape=[1]), node("Sin", "x", "a")]
    small = model([*nodes, node("Add", "a noise", "y")], X, {"y": (TensorProto.FLOAT, None)})
    assert nnrd.split.cut(small, 2).crossing == ("noise", "a")


def test_the_table_of_2500_nodes_takes_seconds_at_most():
    nodes = []
    for index in range(1250):
        last = nodes[-1].output[0] if nodes else "x"
        nodes += [
            constant(f"c{index}", np.float32(index)),
            node("Add", f"{last} c{index}", f"a{index}"),
        ]
    long = model(nodes, X, {"a1249": (TensorProto.FLOAT, None)})
    begin = time.perf_counter()
    assert len(nnrd.split.table(long)) == 2499
    assert time.perf_counter() - begin < 5


def test_a_long_vector_is_not_followed_element_by_element():
    """ONNX's inference would make an object for each of its elements: 24 GB."""
    nodes = [node("Sin", "x", "a"), node("Add", "a w", "b"), node("Add", "b x", "y")]
    weights = {"w": np.zeros(1, np.float32)}
    small = model(
        nodes, {"x": (TensorProto.FLOAT, [2**22])}, {"y": (TensorProto.FLOAT, None)}, weights
    )
    begin = time.perf_counter()
    assert nnrd.split.table(small).bytes.tolist() == [2**25, 2**25]
    assert time.perf_counter() - begin < 0.5


CUTS = {
    "rank 0": (dict(rank=0), "before takes ranks 1 to 4"),
    "rank too high": (dict(rank=5), "before takes ranks 1 to 4"),
    "negative": (dict(rank=-1), "before takes ranks 1 to 4"),
    "after the last": (dict(rank=4, where="after"), "after takes ranks 0 to 3"),
    "before the first by name": (dict(name="/a"), "before takes ranks 1 to 4"),
    "nearest": (dict(name="/dd"), "no node is called '/dd'; nearest: .*/d"),
    "neither": ({}, "give one of them"),
    "both": (dict(rank=1, name="/a"), "give one of them"),
    "where": (dict(rank=1, where="inside"), "before or after"),
}


@pytest.mark.parametrize("case", CUTS)
def test_impossible_cuts_are_refused_in_one_line(case):
    arguments, message = CUTS[case]
    with pytest.raises(UserError, match=message) as error:
        nnrd.split.cut(MODELS["residual"](), **arguments)
    assert "\n" not in str(error.value)


def refused(nodes, message, **more):
    with pytest.raises(UserError, match=message) as error:
        nnrd.split.cut(model(nodes, X, {"y": (TensorProto.FLOAT, None)}, **more), 1)
    assert "\n" not in str(error.value)


def test_models_that_cannot_be_split_are_refused():
    y = node("Neg", "a", "y")
    refused([node("Add", "x b", "a"), node("Sin", "a", "b"), y], "has a cycle: /a -> /b -> /a|/b")
    refused([node("Sin", "b", "a"), node("Cos", "x", "b"), y], "made later, by node 1: sort")
    refused([node("Sin", "nowhere", "a"), y], "'nowhere', which nothing in the model makes")
    refused([node("Sin", "x", "a"), node("Cos", "x", "a"), y], "'a' is made twice")
    refused([node("Sin", "x", "y")], "nothing to split")
    refused([node("Sin", "x", "a"), node("Sin", "a", "b")], "output 'y' is made by no node")


def test_a_name_inside_a_body_and_a_name_twice_are_refused():
    with pytest.raises(UserError, match=r"inside the body of If node '/c' \(rank 5\)"):
        nnrd.split.cut(MODELS["branch"](), name="/inner")
    twice = MODELS["residual"]()
    twice.graph.node[1].name = twice.graph.node[2].name = "same"
    with pytest.raises(UserError, match=r"2 nodes are called 'same': .* \[1, 2\]"):
        nnrd.split.cut(twice, name="same")


def test_a_plan_of_another_model_and_a_split_that_nothing_crosses_are_refused():
    plan = nnrd.split.cut(MODELS["early_output"](), 4)
    with pytest.raises(UserError, match="another model"):
        nnrd.split.extract(MODELS["residual"](), plan)
    nodes = [constant("a", floats(2)), node("Neg", "a", "y")]
    fixed = model(nodes, X, {"y": (TensorProto.FLOAT, None)})
    with pytest.raises(UserError, match="nothing crosses"):
        nnrd.split.extract(fixed, nnrd.split.cut(fixed, 1))


def test_unknown_operators_are_counted_but_neither_declared_nor_run():
    nodes = [node("Odd", "x", "a", domain="elsewhere"), node("Neg", "a", "y")]
    small = model(nodes, X, {"y": (TensorProto.FLOAT, None)}, domains=["elsewhere"])
    assert nnrd.split.table(small).needs_inference.tolist() == [1]
    with pytest.raises(UserError, match="the type of 'a', made by /a, is unknown"):
        nnrd.split.extract(small, nnrd.split.cut(small, 1))
    with pytest.raises(UserError, match=r"cannot open it: .*Odd"):
        Meter(small)


def test_inputs_that_do_not_fit_are_refused():
    meter = Meter(MODELS["residual"]())
    for wrong in (np.zeros((1, 4, 6, 7), "f"), np.zeros((1, 4, 6, 6)), np.zeros((4, 6, 6), "f")):
        with pytest.raises(UserError, match="cannot run on x float") as error:
            meter({"x": wrong})
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="cannot run on z"):
        meter({"z": floats(1, 4, 6, 6)})


def test_files_that_are_not_onnx_are_refused(tmp_path):
    (tmp_path / "noise.onnx").write_bytes(b"\x93NUMPY not a model")
    (tmp_path / "empty.onnx").write_bytes(b"")
    for read in (nnrd.split.load, inference.session):
        for name in ("noise.onnx", "empty.onnx", "absent.onnx"):
            with pytest.raises(UserError, match=name) as error:
                read(tmp_path / name)
            assert "\n" not in str(error.value)


def weighty(*, weight):
    weights = {f"w{i}": weight for i in range(3)} | {"shape": np.array([-1])}
    nodes = [node("Mul", "x w0", "a"), node("Mul", "a w1", "b"), node("Add", "b w2", "c")]
    nodes.append(node("Reshape", "c shape", "y"))
    return model(nodes, {"x": (TensorProto.FLOAT, [1])}, {"y": (TensorProto.FLOAT, None)}, weights)


def store_outside(small, folder):
    onnx.save(
        small, folder / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=64
    )
    return folder / "m.onnx"


@pytest.mark.parametrize("limit", [None, 100])
def test_external_weights_follow_into_the_parts(tmp_path, monkeypatch, limit):
    """In one file, as long as Protocol Buffers can hold it."""
    if limit:
        monkeypatch.setattr(files, "LIMIT", limit)
    small, given = weighty(weight=floats(1000)), {"x": floats(1)}
    expected = run(small, given)["y"]
    path = store_outside(small, tmp_path)
    loaded = nnrd.split.load(path)
    parts = nnrd.split.extract(loaded, nnrd.split.cut(loaded, 2))
    (tmp_path / "deep").mkdir()
    for part, name in zip(parts, ("part1", "part2"), strict=True):
        nnrd.split.save(part, tmp_path / "deep" / f"{name}.onnx", folder=tmp_path)
    stored = sorted(file.name for file in (tmp_path / "deep").iterdir())
    if limit:
        assert stored == ["part1.onnx", "part1.onnx.data", "part2.onnx", "part2.onnx.data"]
        assert (tmp_path / "deep" / "part1.onnx.data").stat().st_size == 8000
    else:
        assert stored == ["part1.onnx", "part2.onnx"]
        whole = nnrd.split.load(tmp_path / "deep" / "part1.onnx")
        assert {len(t.raw_data) for t in whole.graph.initializer} == {4000}
    sent = inference.run(inference.session(tmp_path / "deep" / "part1.onnx"), given)
    got = inference.run(inference.session(tmp_path / "deep" / "part2.onnx"), sent)["y"]
    np.testing.assert_array_equal(got, expected)
    sizes = Meter(loaded, folder=tmp_path)(given)
    assert sizes["c"].value == 4000
    assert nnrd.split.table(loaded).bytes.tolist() == [4000] * 3


def test_missing_and_truncated_external_data_are_refused(tmp_path):
    path = store_outside(weighty(weight=floats(1000)), tmp_path)
    with (tmp_path / "w.bin").open("r+b") as file:
        file.truncate(9000)
    with pytest.raises(UserError, match=r"w.bin: cut short; 'w2'"):
        nnrd.split.load(path)
    (tmp_path / "w.bin").unlink()
    with pytest.raises(UserError, match=r"w.bin: missing"):
        nnrd.split.load(path)


def test_a_saved_part_is_the_part(tmp_path, small):
    first, second = nnrd.split.extract(small, nnrd.split.cut(small, len(small.graph.node) - 1))
    for part in (first, second):
        nnrd.split.save(part, tmp_path / "part.onnx")
        assert onnx.load(tmp_path / "part.onnx") == part


@pytest.mark.slow
def test_a_model_over_two_gigabytes(tmp_path):
    """Three weights of 1 GB in a sparse file; zeros, so y is exactly the last weight."""
    count = 2**28
    small = weighty(weight=np.zeros(1, np.float32))
    with (tmp_path / "w.bin").open("wb") as file:
        file.truncate(3 * 4 * count)
    for index, tensor in enumerate(list(small.graph.initializer)[:3]):
        tensor.ClearField("raw_data")
        tensor.dims[:] = [count]
        tensor.data_location = TensorProto.EXTERNAL
        entries = {"location": "w.bin", "offset": index * 4 * count, "length": 4 * count}
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))
    onnx.save(small, tmp_path / "m.onnx")
    loaded = nnrd.split.load(tmp_path / "m.onnx")
    first, second = nnrd.split.extract(loaded, nnrd.split.cut(loaded, 1))
    nnrd.split.save(second, tmp_path / "second" / "part2.onnx", folder=tmp_path)
    nnrd.split.save(first, tmp_path / "first" / "part1.onnx", folder=tmp_path)
    assert (tmp_path / "second" / "part2.onnx.data").stat().st_size == 2 * 4 * count
    assert inference.session(tmp_path / "first" / "part1.onnx").get_outputs()[0].name == "a"
    assert inference.session(tmp_path / "second" / "part2.onnx").get_inputs()[0].name == "a"


def test_initializers_are_not_shared_with_the_whole_model():
    small = weighty(weight=floats(10))
    first, _ = nnrd.split.extract(small, nnrd.split.cut(small, 1))
    first.graph.initializer[0].CopyFrom(numpy_helper.from_array(floats(3), "w0"))
    assert list(small.graph.initializer[0].dims) == [10]

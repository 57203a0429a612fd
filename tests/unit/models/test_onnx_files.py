"""ONNX files: their facts, by which they are checked, and their weights, out and back."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from small_models import FLOAT, X, floats, model, node

from nnrd import UserError
from nnrd.core import lineage
from nnrd.core.files import write_record
from nnrd.models import facts, onnx_weights


def small():
    weights = {"w": floats(4, 1, 1), "b": floats(1), "n": np.array([2, 2], np.int64)}
    nodes = [node("Mul", "x w", "a"), node("Add", "a b", "y"), node("Identity", "n", "m")]
    return model(nodes, X, {"y": (FLOAT, None), "m": (TensorProto.INT64, None)}, weights)


def test_facts(tmp_path):
    file = tmp_path / "m.onnx"
    onnx.save(small(), file)
    found = facts.facts_of(file)
    assert (found["nodes"], found["parameters"], found["opset"]) == (3, 7, {"ai.onnx": 17})
    assert (found["inputs"], found["outputs"]) == (["x"], ["y", "m"])
    assert found["bytes"] == file.stat().st_size
    write_record(tmp_path / "m.json", found | lineage.of([file], []))
    assert lineage.checked(file, tmp_path / "m.json") == file
    assert lineage.checked(file, None) == file
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(UserError, match=r"m\.onnx: damaged"):
        lineage.checked(file, tmp_path / "m.json")


def test_weights_come_back():
    given = small()
    taken = onnx_weights.tensors(given)
    assert list(taken) == ["w", "b", "n"] and taken["n"].dtype == np.int64
    assert onnx_weights.filled(given, taken).SerializeToString() == given.SerializeToString()
    other = taken | {"w": taken["w"] * 2}
    np.testing.assert_array_equal(
        onnx_weights.tensors(onnx_weights.filled(given, other))["w"], 2 * taken["w"]
    )
    np.testing.assert_array_equal(onnx_weights.tensors(given)["w"], taken["w"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: {n: t[n] for n in ("b", "w", "n")}, "their names differ"),
        (lambda t: {n: t[n] for n in ("w", "b")}, "their names differ"),
        (lambda t: t | {"w": t["w"][:2]}, "tensor w: its shape or dtype"),
        (lambda t: t | {"w": t["w"].astype(np.float64)}, "tensor w: its shape or dtype"),
    ],
)
def test_weights_that_are_not_the_models(change, said):
    with pytest.raises(UserError, match=said):
        onnx_weights.filled(small(), change(onnx_weights.tensors(small())))


def test_a_model_without_weights():
    bare = model([node("Sin", "x", "y")], X, {"y": (FLOAT, None)})
    with pytest.raises(UserError, match="nothing to compress"):
        onnx_weights.tensors(bare)


def test_a_scalar_comes_back():
    scalar = onnx.numpy_helper.from_array(np.array(2, np.float32), "s")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Mul", ["x", "s"], ["y"])],
        "g",
        [onnx.helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [onnx.helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [scalar],
    )
    made = onnx.helper.make_model(graph)
    found = onnx_weights.filled(made, {"s": np.array(3, np.float32)})
    assert onnx_weights.tensors(found)["s"] == 3 and onnx_weights.tensors(found)["s"].shape == ()

"""Graphs in their runtimes: what one gives, the other gives."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from nnrd.quantisation import graphs, packages
from nnrd.quantisation.backends.nncf_openvino import read_model

pytest.importorskip("openvino")
ONE, PAST = [1, 6, 1, 64], [1, 6, "places", 64]
INPUTS = {"query": ONE, "key": ONE, "value": ONE, "past_keys": PAST, "past_values": PAST}


def attention():
    """A decoder's step: a query to the keys and values so far, and to its own."""
    nodes = [
        helper.make_node("Concat", ["past_keys", "key"], ["keys"], axis=2),
        helper.make_node("Concat", ["past_values", "value"], ["values"], axis=2),
        helper.make_node("Transpose", ["keys"], ["turned"], perm=[0, 1, 3, 2]),
        helper.make_node("MatMul", ["query", "turned"], ["products"]),
        helper.make_node("Softmax", ["products"], ["weights"], axis=-1),
        helper.make_node("MatMul", ["weights", "values"], ["found"]),
    ]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in INPUTS.items()]
    found = helper.make_tensor_value_info("found", TensorProto.FLOAT, ONE)
    graph = helper.make_graph(nodes, "attention", values, [found])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_attention_over_an_open_dimension_is_that_of_onnx_runtime(tmp_path):
    """With OpenVINO's own kernel it is far from it where there are 16 places or more."""
    onnx.save(attention(), tmp_path / "model.onnx")
    model = read_model(tmp_path / "model.onnx")
    packages.load("openvino").save_model(model, tmp_path / "model.xml", compress_to_fp16=False)
    theirs = graphs.open_graph(tmp_path / "model.onnx")
    ours = graphs.open_graph(tmp_path / "model.xml", precision="float32")
    random = np.random.default_rng(0)
    for places in (0, 1, 14, 15, 16, 40):
        shapes = {name: [places if s == "places" else s for s in of] for name, of in INPUTS.items()}
        feeds = {name: random.normal(size=of).astype(np.float32) for name, of in shapes.items()}
        np.testing.assert_allclose(ours(feeds)["found"], theirs(feeds)["found"], atol=1e-4)

"""The names that others rely on stay where they are."""

import math

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import nnrd.codecs
import nnrd.detection
import nnrd.nnc
import nnrd.split


def test_codecs():
    tensors = {"w": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), "n": np.arange(3)}
    codec = nnrd.codecs.make("nnc", qp=-38)
    blob = codec.encode(tensors)
    assert isinstance(blob, bytes)
    decoded = codec.decode(blob)
    assert list(decoded) == list(tensors)
    np.testing.assert_allclose(decoded["w"], tensors["w"], atol=4e-3)


def test_nnc():
    tensors = {"w": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)}
    blob = nnrd.nnc.encode(tensors, qp=-38, use_dq=True, workers=1)
    np.testing.assert_allclose(nnrd.nnc.decode(blob)["w"], tensors["w"], atol=1e-2)


def test_split(tmp_path):
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4]) for n in "xz"]
    nodes = [
        helper.make_node("Relu", ["x"], ["y"], "one"),
        helper.make_node("Neg", ["y"], ["z"], "two"),
    ]
    graph = helper.make_graph(nodes, "g", value[:1], value[1:])
    opset = [helper.make_opsetid("", 13)]
    made = helper.make_model(graph, opset_imports=opset, ir_version=8)
    nnrd.split.save(made, tmp_path / "m.onnx")
    model = nnrd.split.load(tmp_path / "m.onnx")
    plan = nnrd.split.cut(model, rank=1)
    assert plan == nnrd.split.cut(model, name="two", where="before")
    assert plan.crossing == nnrd.split.cut(model, name="one", where="after").crossing
    parts = nnrd.split.extract(model, plan)
    assert all(isinstance(part, onnx.ModelProto) for part in parts)
    assert list(nnrd.split.table(model)["branches"]) == [1]


def test_detection():
    image = {"ground_truth": [["cat", 0, 0, 4, 4]], "predictions": [["cat", 0, 0, 4, 4, 0.9]]}
    mean, classes = nnrd.detection.tr26847_map([image], score_threshold=0.5)
    assert set(classes) == {"cat"} and 0 <= mean <= 1
    truth = {
        "images": [{"id": 1, "width": 9, "height": 9}],
        "categories": [{"id": 1}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 4]}],
    }
    row = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 4], "score": 0.9}
    found = nnrd.detection.coco_ap(truth, [row])
    assert found["AP"] == pytest.approx(1) and math.isnan(found["APl"])


def test_torch_tensors_and_back():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    state = model.state_dict() | {
        "parameter": model[0].bias,
        "half": torch.tensor([1.0, -2.0]).to(torch.bfloat16),
        "eight": torch.tensor([1.0, -2.0]).to(torch.float8_e4m3fn),
        "scalar": torch.tensor(2.5),
        "turned": torch.arange(6.0).reshape(2, 3).T,
        "array": np.ones(2, np.float32),
    }
    codec = nnrd.codecs.make("raw")
    decoded = codec.decode(codec.encode(state))
    assert all(isinstance(array, np.ndarray) for array in decoded.values())
    back = nnrd.codecs.to_torch(decoded)
    assert list(back) == list(state)
    for name, tensor in back.items():
        expected = torch.as_tensor(state[name]).detach()
        assert tensor.dtype == expected.dtype and tensor.shape == expected.shape, name
        assert torch.equal(tensor.float(), expected.float()), name
    model.load_state_dict({name: back[name] for name in model.state_dict()})
    with pytest.raises(nnrd.UserError, match="tensor s: float32 cannot be coded"):
        codec.encode({"s": torch.eye(3).to_sparse()})

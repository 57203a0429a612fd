"""What a graph computes on an input, beside numbers worked out by hand."""

import numpy as np
import onnx
import pytest
from small_models import FLOAT, floats, model, node
from test_macs import CONV, SPREAD, convolutions, products

from nnrd.runtime import sessions
from nnrd.split.computing import Counted

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def recurrent(kind, directions):
    """40 values in, 24 kept."""
    rows = GATES[kind] * 24
    weights = {"w": floats(directions, rows, 40), "r": floats(directions, rows, 24)}
    attributes = {"hidden_size": 24, "direction": "bidirectional" if directions == 2 else "forward"}
    nodes = [node(kind, "x w r", "y", **attributes)]
    return model(nodes, {"x": (FLOAT, ["T", "B", 40])}, {"y": (FLOAT, None)}, weights)


def attention():
    """Scores of all pairs of places, and their mixture: two products of activations."""
    nodes = [node("Transpose", "x", "t", perm=[0, 2, 1]), node("MatMul", "x t", "s")]
    nodes += [node("Softmax", "s", "p"), node("MatMul", "p x", "y")]
    return model(nodes, {"x": (FLOAT, ["B", "T", 8])}, {"y": (FLOAT, None)})


def turned():
    nodes = [node("Gemm", "x w", "y", transA=1)]
    return model(nodes, {"x": (FLOAT, [4, 3])}, {"y": (FLOAT, None)}, {"w": floats(4, 7)})


def branch(compute):
    """An If, whose bodies compute or not."""
    body = [node("MatMul", "x x", "b") if compute else node("Relu", "x", "b")]
    bodies = {
        f"{name}_branch": onnx.helper.make_graph(
            body, name, [], [onnx.helper.make_tensor_value_info("b", FLOAT, None)]
        )
        for name in ("then", "else")
    }
    nodes = [node("If", "c", "i", **bodies), node("MatMul", "i x", "y")]
    inputs = {"x": (FLOAT, [4, 4]), "c": (onnx.TensorProto.BOOL, [])}
    return model(nodes, inputs, {"y": (FLOAT, None)})


PLACE = {kind: gates * 24 * (40 + 24) for kind, gates in GATES.items()}
BY_HAND = {
    "convolutions": (convolutions(), (1, 3, 8, 8), CONV + SPREAD),
    "products": (products(False), (3, 4), 84 + 42 + 3 * 2 * 3),
    "turned weights": (products(True), (3, 4), 84 + 42 + 3 * 2 * 3),
    "a turned input": (turned(), (4, 3), 3 * 4 * 7),
    "attention": (attention(), (2, 10, 8), 2 * 2 * 10 * 10 * 8),
    **{
        f"{kind}, {count}": (recurrent(kind, count), (5, 3, 40), 15 * count * PLACE[kind])
        for kind in GATES
        for count in (1, 2)
    },
}


def run_of(small):
    return sessions.Run(sessions.session(small.SerializeToString()))


@pytest.mark.parametrize(("small", "shape", "expected"), BY_HAND.values(), ids=BY_HAND)
def test_by_hand(small, shape, expected):
    run, x = run_of(small), np.ones(shape, np.float32)
    counted = Counted(run, small)
    assert counted.macs == 0
    for times in (1, 2):
        found = counted({"x": x})
        assert counted.macs == times * expected
    for name, array in run({"x": x}).items():
        assert np.array_equal(found[name], array)


@pytest.mark.parametrize(("compute", "expected"), [(False, 64), (True, None)])
def test_a_body_that_computes_is_not_known(compute, expected):
    small = branch(compute)
    counted = Counted(run_of(small), small)
    counted({"x": np.ones((4, 4), np.float32), "c": np.array(True)})
    assert counted.macs == expected


@pytest.mark.filterwarnings("ignore")  # the exporter is told to be replaced
def test_it_agrees_with_the_counter_of_the_network(tmp_path):
    torch = pytest.importorskip("torch")
    from nnrd.profile import counts

    class Small(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = torch.nn.Conv1d(8, 16, 3, groups=2)
            self.lstm = torch.nn.LSTM(16, 12, bidirectional=True, batch_first=True)
            self.layer = torch.nn.TransformerEncoderLayer(24, 2, 32, batch_first=True)

        def forward(self, x):
            return self.layer(self.lstm(self.convolution(x).transpose(1, 2))[0])

    network, x = Small().eval(), torch.ones(1, 8, 20)
    file = tmp_path / "small.onnx"
    torch.onnx.export(network, (x,), file, dynamo=False, input_names=["x"], opset_version=17)
    small = onnx.load(file)
    counted = Counted(run_of(small), small)
    counted({"x": x.numpy()})
    with torch.no_grad():
        assert counted.macs == counts.macs(network, lambda: network(x))

"""Small graphs to quantise, a loader, an engine and a metric around them."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from small_models import FLOAT, model, node

from nnrd.quantisation.interface import Engine, Metric

IMAGE, STATE, CLASSES = [1, 3, 16, 16], [1, 32], 10


def weights(*shape, seed=0):
    scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 2 else np.sqrt(1 / shape[0])
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def convolutions():
    """Two convolutions and a product: what comes out are the scores of ten classes."""
    nodes = [node("Conv", "x k1", "a", pads=[1] * 4), node("Relu", "a", "b")]
    nodes += [node("Conv", "b k2", "c", pads=[1] * 4), node("Relu", "c", "d")]
    nodes += [node("GlobalAveragePool", "d", "e"), node("Flatten", "e", "f")]
    nodes += [node("Gemm", "f w bias", "y")]
    held = {"k1": weights(16, 3, 3, 3), "k2": weights(32, 16, 3, 3, seed=1)}
    held |= {"w": weights(32, CLASSES, seed=2), "bias": weights(CLASSES, seed=3)}
    return model(nodes, {"x": (FLOAT, IMAGE)}, {"y": (FLOAT, [1, CLASSES])}, held)


def recurrent():
    """What comes out is the state, which the next step is given."""
    nodes = [node("MatMul", "x w", "a"), node("MatMul", "h u", "b"), node("Add", "a b", "c")]
    nodes += [node("Tanh", "c", "state"), node("MatMul", "state v", "y")]
    held = {"w": weights(32, 32), "u": weights(32, 32, seed=1), "v": weights(32, 5, seed=2)}
    ins = {"x": (FLOAT, STATE), "h": (FLOAT, STATE)}
    return model(nodes, ins, {"y": (FLOAT, [1, 5]), "state": (FLOAT, STATE)}, held)


def lstm():
    """An LSTM whose state h and c are given and given back, and a product behind it."""
    run = helper.make_node(
        "LSTM", ["x", "w", "r", "b", "", "h", "c"], ["s", "hn", "cn"], name="/s", hidden_size=32
    )
    nodes = [run, node("Squeeze", "s one", "t"), node("MatMul", "t v", "y")]
    held = {
        "w": weights(1, 128, 32),
        "r": weights(1, 128, 32, seed=1),
        "b": weights(1, 256, seed=2),
    }
    held |= {"v": weights(32, 5, seed=3), "one": np.int64([1])}
    state = (FLOAT, [1, 1, 32])
    ins, outs = {"x": (FLOAT, [4, 1, 32]), "h": state, "c": state}, {"hn": state, "cn": state}
    return model(nodes, ins, {"y": (FLOAT, [4, 1, 5])} | outs, held)


def nothing_to_multiply():
    return model([node("Sin", "x", "y")], {"x": (FLOAT, IMAGE)}, {"y": (FLOAT, IMAGE)})


def saved(graph, path: Path) -> Path:
    onnx.save(graph, path)
    return path


class Images:
    """Random images; the annotation is the number of the item."""

    def __init__(self, count=8, shape=IMAGE, first=0):
        self.count, self.shape, self.first = count, shape, first

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        noise = np.random.default_rng(self.first + index).standard_normal(self.shape)
        return self.first + index, noise.astype(np.float32)


class OneRun(Engine):
    """Runs the one graph once."""

    def predict(self, graphs, data):
        return graphs["model"]({"x": data})["y"]


class Steps(Engine):
    """Runs a graph once a step, and hands its state on."""

    def predict(self, graphs, data):
        state, found = np.zeros(STATE, np.float32), []
        for step in data:
            out = graphs["model"]({"x": step, "h": state})
            state = out["state"]
            found.append(out["y"])
        return np.concatenate(found)


class Packages(Engine):
    """Runs an LSTM package after package, and hands its state on."""

    def predict(self, graphs, data):
        h = c = np.zeros([1, 1, 32], np.float32)
        found = []
        for package in data:
            out = graphs["model"]({"x": package, "h": h, "c": c})
            h, c = out["hn"], out["cn"]
            found.append(out["y"])
        return np.concatenate(found)


class Closeness(Metric):
    """How near predictions are to those of the float model, 100 where they are equal."""

    name = "closeness"

    def __init__(self, engine, graphs, loader):
        self.held = {loader[i][0]: engine.predict(graphs, loader[i][1]) for i in range(len(loader))}
        self.reset()

    def reset(self):
        self.values = []

    def update(self, prediction, annotation):
        held = self.held[annotation]
        error = np.square(prediction - held).sum() / np.square(held).sum()
        self.values.append(100 * (1 - float(error)))

    @property
    def value(self):
        return self.values[-1:]

    @property
    def avg_value(self):
        return float(np.mean(self.values)) if self.values else float("nan")


class Distance(Closeness):
    """The same upside down: lower is better."""

    name, higher_is_better = "distance", False

    def update(self, prediction, annotation):
        super().update(prediction, annotation)
        self.values[-1] = 100 - self.values[-1]

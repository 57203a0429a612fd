"""Small ONNX models that each have one thing a split can get wrong."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(0)
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def model(nodes, inputs, outputs, weights=None, opset=17, ir=8, functions=(), domains=()):
    """inputs, outputs: {name: (element type, shape)}; weights: {name: array}."""
    values = [
        [helper.make_tensor_value_info(name, *kind) for name, kind in group.items()]
        for group in (inputs, outputs)
    ]
    stored = [numpy_helper.from_array(a, name) for name, a in (weights or {}).items()]
    graph = helper.make_graph(nodes, "small", *values, initializer=stored)
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir, functions=functions)


def node(kind, inputs, outputs, **attributes):
    outputs = outputs.split()
    return helper.make_node(kind, inputs.split(), outputs, name=f"/{outputs[0]}", **attributes)


def constant(name, value):
    tensor = numpy_helper.from_array(np.asarray(value), name)
    return node("Constant", "", name, value=tensor)


def floats(*shape):
    return RNG.standard_normal(shape, dtype=np.float32)


X = {"x": (FLOAT, [1, 4, 6, 6])}


def residual():
    nodes = [node("Relu", "x", "a"), node("Sin", "a", "b"), node("Cos", "b", "c")]
    nodes += [node("Add", "c a", "d"), node("Mul", "d x", "y")]
    return model(nodes, X, {"y": (FLOAT, None)})


def early_output():
    nodes = [node("Sin", "x", "first"), node("Cos", "x", "a"), node("Exp", "a", "second")]
    nodes += [node("Tanh", "second", "b"), node("Neg", "b", "third")]
    return model(nodes, X, dict.fromkeys(["third", "first", "second"], (FLOAT, None)))


def input_is_output():
    nodes = [node("Sin", "x", "a"), node("Cos", "a", "b"), node("Neg", "b", "y")]
    return model(nodes, X, {"x": X["x"], "y": (FLOAT, None)})


def constants():
    nodes = [constant("two", np.float32(2)), constant("three", np.float32(3))]
    nodes += [node("Mul", "two three", "six"), node("Mul", "x six", "a"), node("Sin", "a", "b")]
    nodes += [node("Add", "b two", "c"), node("Sub", "c three", "d"), node("Div", "d w", "e")]
    nodes += [node("Add", "six w", "constant_output")]
    outputs = {"e": (FLOAT, None), "constant_output": (FLOAT, None)}
    return model(nodes, X, outputs, {"w": np.float32(7).reshape(1)})


def shape_only():
    nodes = [node("Sin", "x", "a"), node("GlobalAveragePool", "a", "b"), node("Cos", "b", "c")]
    nodes += [node("Shape", "a", "s"), node("Shape", "a", "t"), node("Expand", "c s", "d")]
    nodes += [node("Shape", "a", "u", start=-2, end=9), node("Shape", "x", "v", start=1, end=-1)]
    nodes += [node("Concat", "u v", "uv", axis=0), node("Expand", "d t", "y")]
    return model(nodes, X, {"y": (FLOAT, None), "uv": (INT64, None)})


def branch():
    then = helper.make_graph(
        [helper.make_node("Add", ["a", "w"], ["then_y"], name="/inner")],
        "then",
        [],
        [helper.make_tensor_value_info("then_y", FLOAT, None)],
    )
    other = helper.make_graph(
        [helper.make_node("Mul", ["b", "b"], ["else_y"])],
        "else",
        [],
        [helper.make_tensor_value_info("else_y", FLOAT, None)],
    )
    nodes = [
        node("Sin", "x", "a"),
        node("Cos", "x", "b"),
        node("ReduceSum", "b", "sum", keepdims=0),
    ]
    nodes += [constant("zero", np.float32(0)), node("Greater", "sum zero", "positive")]
    nodes += [
        node("If", "positive", "c", then_branch=then, else_branch=other),
        node("Neg", "c", "y"),
    ]
    return model(nodes, X, {"y": (FLOAT, None)}, {"w": floats(1)})


def loop():
    body = helper.make_graph(
        [
            helper.make_node("Add", ["state", "a"], ["sum"]),
            helper.make_node("Identity", ["going"], ["still"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", FLOAT, None),
        ],
    )
    nodes = [node("Sin", "x", "a"), constant("count", np.int64(3)), constant("yes", np.bool_(True))]
    nodes += [node("Cos", "x", "b"), node("Loop", "count yes b", "c", body=body)]
    return model([*nodes, node("Neg", "c", "y")], X, {"y": (FLOAT, None)})


def sequence():
    nodes = [node("Sin", "x", "a"), node("Cos", "x", "b"), node("SequenceConstruct", "a b", "seq")]
    nodes += [
        constant("one", np.int64(1)),
        node("SequenceAt", "seq one", "c"),
        node("Neg", "c", "y"),
    ]
    return model(nodes, X, {"y": (FLOAT, None)})


def rounding_fusions():
    """Conv + BN, Conv + Mul, Conv + Add, MatMul + Add: joined by default, and rounded anew."""
    weights = {"w": floats(4, 4, 3, 3), "scale": floats(4), "bias": floats(4), "mean": floats(4)}
    weights |= {"var": floats(4) ** 2, "m": floats(4, 1, 1), "p": floats(6, 6), "q": floats(6)}
    nodes = []
    for tail in ["BatchNormalization", "Mul", "Add"]:
        last = "x" if not nodes else nodes[-1].output[0]
        extra = "scale bias mean var" if tail.startswith("Batch") else "m"
        nodes.append(node("Conv", f"{last} w", f"conv_{tail}", pads=[1] * 4))
        nodes.append(node(tail, f"conv_{tail} {extra}", f"y_{tail}"))
    nodes += [node("MatMul", "y_Add p", "product"), node("Add", "product q", "y")]
    return model(nodes, X, {"y": (FLOAT, None)}, weights)


def old_weights_are_inputs():
    """IR version 3: every weight is also an input."""
    inputs = X | {"w": (FLOAT, [4, 1, 1])}
    nodes = [node("Mul", "x w", "a"), node("Sin", "a", "b"), node("Add", "b w", "y")]
    return model(nodes, inputs, {"y": (FLOAT, None)}, {"w": floats(4, 1, 1)}, opset=8, ir=3)


def optional_and_unused():
    """An optional input left out, an unnamed node, a second output nobody reads, a dead node."""
    nodes = [helper.make_node("Clip", ["x", "", "w"], ["a"]), node("Relu", "x", "dead")]
    nodes += [node("MaxPool", "a", "b indices", kernel_shape=[2, 2]), node("Sin", "dead", "deader")]
    nodes += [node("Neg", "b", "y")]
    return model(nodes, X, {"y": (FLOAT, None)}, {"w": np.float32(0.5).reshape(())})


def function():
    body = [helper.make_node("Sin", ["p"], ["q"]), helper.make_node("Add", ["q", "p"], ["r"])]
    own = helper.make_function("own", "F", ["p"], ["r"], body, [helper.make_opsetid("", 17)])
    nodes = [
        node("Cos", "x", "a"),
        node("F", "a", "b", domain="own"),
        node("F", "b", "y", domain="own"),
    ]
    return model(nodes, X, {"y": (FLOAT, None)}, functions=[own], domains=["own"])


def two_inputs():
    inputs = X | {"size": (INT64, [4])}
    nodes = [
        node("Sin", "x", "a"),
        node("Cast", "size", "f", to=FLOAT),
        node("Reshape", "a size", "y"),
    ]
    nodes += [node("Neg", "f", "g")]
    return model(nodes, inputs, {"y": (FLOAT, None), "g": (FLOAT, None)})


def random_graph(seed):
    """Thirty random nodes: unary, binary, constants, shapes, random outputs."""
    rng = np.random.default_rng(seed)
    data, shapes, nodes = ["x"], ["size"], [constant("size", np.array([1, 4, 6, 6]))]
    for index in range(30):
        name, kind = f"n{index}", rng.choice(["one", "two", "shape", "expand", "constant"])
        pick = lambda names: names[int(rng.integers(max(0, len(names) - 6), len(names)))]  # noqa: E731
        if kind == "one":
            nodes.append(node(rng.choice(["Sin", "Cos", "Tanh", "Neg"]), pick(data), name))
        elif kind == "two":
            nodes.append(node(rng.choice(["Add", "Mul"]), f"{pick(data)} {pick(data)}", name))
        elif kind == "expand":
            nodes.append(node("Expand", f"{pick(data)} {pick(shapes)}", name))
        elif kind == "constant":
            nodes.append(constant(name, floats(1, 4, 1, 6)))
        else:
            nodes.append(node("Shape", pick(data), name))
            shapes.append(name)
            continue
        data.append(name)
    nodes.append(node("Add", f"{data[-1]} x", "end"))
    ends = dict.fromkeys(["end", *rng.choice(data[-8:], 2)], (FLOAT, None))
    return model(nodes, X, {str(name): kind for name, kind in ends.items()})


MODELS = {
    build.__name__: build
    for build in (residual, early_output, input_is_output, constants, shape_only, branch, loop)
} | {
    build.__name__: build
    for build in (sequence, rounding_fusions, old_weights_are_inputs, optional_and_unused)
}
MODELS |= {"function": function, "two_inputs": two_inputs}
MODELS |= {f"random{seed}": (lambda seed=seed: random_graph(seed)) for seed in range(12)}


def feeds(small: onnx.ModelProto) -> dict[str, np.ndarray]:
    found = {"x": floats(1, 4, 6, 6)}
    if any(value.name == "size" for value in small.graph.input):
        found["size"] = np.array([6, 4, 1, 6])
    return found

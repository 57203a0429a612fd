"""The two models a split yields."""

from collections.abc import Iterable

import onnx
from onnx import TensorProto, helper

from nnrd.core.errors import UserError
from nnrd.split.graph import Graph, reads
from nnrd.split.plan import Plan
from nnrd.split.shapes import shapeless, types

# Weights that are not also inputs exist since IR version 4.
OLDEST_IR = 4


def extract(model: onnx.ModelProto | Graph, plan: Plan) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """Return part I and part II of ``model`` as two models.

    Part I has the inputs of ``model`` and the outputs ``plan.crossing``; part II has the
    inputs ``plan.crossing`` and the outputs of ``model``, in its order. What crosses is
    declared by its element type only: shapes found by inference may be wrong (RetinaNet's are
    when an image has no detections) and stop ONNX Runtime. Weights are copied, or remain
    references where they are external. Raises UserError: a plan of another model, a
    tensor whose type is unknown, a split that nothing crosses.
    """
    graph = model if isinstance(model, Graph) else Graph(model)
    sent = _sent_tensors(graph, plan)
    declared = _declarations(graph, plan, sent)
    first = _part_one(graph, plan, sent)
    second = _part_two(graph, plan, sent)
    feeds = [v for v in graph.model.graph.input if v.name in graph.inputs]
    results = list(graph.model.graph.output)
    return (
        _model(graph, "part1", first, feeds, declared),
        _model(graph, "part2", second, declared, results),
    )


def _sent_tensors(graph: Graph, plan: Plan) -> list[str]:
    shapes = dict(zip(plan.shape_names, plan.shape_only, strict=True))
    sent = [shapes.get(name, name) for name in plan.crossing]
    if not sent:
        raise UserError(f"nothing crosses before rank {plan.rank}: no output needs the inputs")
    missing = [name for name in sent if graph.maker.get(name, plan.rank) >= plan.rank]
    if missing:
        raise UserError(f"the plan is of another model: this has no tensor {missing[0]!r} there")
    return sent


def _declarations(graph: Graph, plan: Plan, sent: list[str]) -> list[onnx.ValueInfoProto]:
    known = types(graph)
    declared = []
    for crossing, name in zip(plan.crossing, sent, strict=True):
        if crossing != name:
            declared.append(helper.make_tensor_value_info(crossing, TensorProto.INT64, None))
        elif name in known:
            declared.append(helper.make_value_info(name, shapeless(known[name])))
        else:
            maker = graph.label(graph.maker[name])
            raise UserError(f"the type of {name!r}, made by {maker}, is unknown: split elsewhere")
    return declared


def _part_one(graph: Graph, plan: Plan, sent: list[str]) -> list[onnx.NodeProto]:
    nodes = [graph.nodes[rank] for rank in graph.ancestors(sent)]
    for name, shape in zip(plan.shape_only, plan.shape_names, strict=True):
        nodes.append(helper.make_node("Shape", [name], [shape], name=shape))
    return nodes


def _part_two(graph: Graph, plan: Plan, sent: list[str]) -> list[onnx.NodeProto]:
    shapes = dict(zip(plan.shape_only, plan.shape_names, strict=True))
    nodes = []
    for rank in graph.ancestors(graph.outputs, stop=sent):
        node = graph.nodes[rank]
        if node.op_type == "Shape" and node.input[0] in shapes:
            nodes.extend(_received_shape(node, shapes[node.input[0]]))
        else:
            nodes.append(node)
    return nodes


def _received_shape(node: onnx.NodeProto, shape: str) -> list[onnx.NodeProto]:
    """Return what takes the place of a Shape node where the shape itself was sent."""
    ends = {a.name: a.i for a in node.attribute}
    if not ends:
        return [helper.make_node("Identity", [shape], node.output, name=node.name)]
    # start and end exist since opset 15, where Slice takes them as inputs; like a slice's,
    # they count from the back if negative and are clamped.
    constants = [
        helper.make_node("Constant", [], [f"{node.output[0]}:{end}"], value_ints=[value])
        for end, value in (("start", ends.get("start", 0)), ("end", ends.get("end", 2**31)))
    ]
    names = [constant.output[0] for constant in constants]
    return [*constants, helper.make_node("Slice", [shape, *names], node.output, name=node.name)]


def _model(
    graph: Graph,
    title: str,
    nodes: list[onnx.NodeProto],
    inputs: Iterable[onnx.ValueInfoProto],
    outputs: Iterable[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    source = graph.model
    part = onnx.ModelProto(ir_version=max(source.ir_version, OLDEST_IR))
    part.opset_import.extend(source.opset_import)
    part.functions.extend(source.functions)
    part.metadata_props.extend(source.metadata_props)
    part.producer_name, part.producer_version = source.producer_name, source.producer_version
    body = part.graph
    body.name = f"{source.graph.name}/{title}"
    body.node.extend(nodes)
    body.input.extend(inputs)
    body.output.extend(outputs)
    needed = {name for node in nodes for name in reads(node)}
    needed |= {value.name for value in body.output}
    stored = source.graph
    body.initializer.extend(t for t in stored.initializer if t.name in needed)
    body.sparse_initializer.extend(t for t in stored.sparse_initializer if t.values.name in needed)
    notes = (n for n in stored.quantization_annotation if n.tensor_name in needed)
    body.quantization_annotation.extend(notes)
    return part

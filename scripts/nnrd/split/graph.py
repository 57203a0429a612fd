"""An index over an ONNX graph: who makes a tensor, who reads it, what the input decides."""

import graphlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import onnx

from nnrd.core.errors import UserError
from nnrd.core.naming import rank_named

# Made anew by each run, so never a constant, even without an input.
RANDOM = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"}
RANDOM |= {"Multinomial", "Bernoulli"}


def bodies(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    """Return the graphs a control-flow node carries (If, Loop, Scan)."""
    found = []
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            found.append(attribute.g)
        elif attribute.type == onnx.AttributeProto.GRAPHS:
            found.extend(attribute.graphs)
    return found


def captured(body: onnx.GraphProto) -> dict[str, None]:
    """Return the names, in order of use, that ``body`` reads from the graphs around it."""
    known = {value.name for value in body.input} | initializer_names(body)
    names: dict[str, None] = {}
    for node in body.node:
        names |= {name: None for name in reads(node) if name not in known}
        known |= set(node.output)
    return names | {value.name: None for value in body.output if value.name not in known}


def reads(node: onnx.NodeProto) -> dict[str, None]:
    """Return the names ``node`` reads, in order: its inputs and what its bodies capture."""
    names = {name: None for name in node.input if name}
    for body in bodies(node):
        names |= captured(body)
    return names


def initializer_names(graph: onnx.GraphProto) -> set[str]:
    """Return the names of a graph's weights, dense and sparse."""
    names = {tensor.name for tensor in graph.initializer}
    return names | {sparse.values.name for sparse in graph.sparse_initializer}


def is_random(node: onnx.NodeProto) -> bool:
    """Say whether two runs of ``node`` on the same inputs may differ."""
    inside = (inner for body in bodies(node) for inner in body.node)
    return node.op_type in RANDOM or any(map(is_random, inside))


@dataclass
class Life:
    """When a tensor is made and last read. Ranks; −1: by the caller; N: by the caller.

    ``last`` counts every reader, ``last_value`` only those that need more than the shape.
    A tensor crosses the split before rank k when ``made`` < k ≤ ``last``.
    """

    made: int
    last: int = -1
    last_value: int = -1


@dataclass
class Graph:
    """An index over the main graph of ``model``; raises UserError if it cannot be split.

    Attributes: ``nodes`` in the file's order, whose positions are the ranks; ``reads``, per
    node, the names it reads; ``maker``, the rank that makes a name (−1: a model input);
    ``inputs`` and ``outputs``, the names the caller feeds and gets.
    """

    model: onnx.ModelProto
    nodes: list[onnx.NodeProto] = field(init=False)
    reads: list[dict[str, None]] = field(init=False)
    weights: set[str] = field(init=False)
    inputs: list[str] = field(init=False)
    outputs: list[str] = field(init=False)
    maker: dict[str, int] = field(init=False)

    def __post_init__(self):
        graph = self.model.graph
        self.nodes = list(graph.node)
        self.reads = [reads(node) for node in self.nodes]
        self.weights = initializer_names(graph)
        self.inputs = [value.name for value in graph.input if value.name not in self.weights]
        self.outputs = [value.name for value in graph.output]
        self.maker = self._makers()
        self._check_order()

    def _makers(self) -> dict[str, int]:
        maker = dict.fromkeys(self.inputs, -1)
        for rank, node in enumerate(self.nodes):
            for name in filter(None, node.output):
                if name in maker or name in self.weights:
                    raise UserError(f"tensor {name!r} is made twice (again by node {rank})")
                maker[name] = rank
        return maker

    def _check_order(self) -> None:
        for rank, names in enumerate(self.reads):
            for name in names:
                if name not in self.weights and self.maker.get(name, rank) >= rank:
                    self._refuse(rank, name)
        for name in self.outputs:
            if name not in self.maker and name not in self.weights:
                raise UserError(f"output {name!r} is made by no node of the model")

    def _refuse(self, rank: int, name: str) -> None:
        where = f"node {rank} ({self.label(rank)}) reads {name!r}"
        if name not in self.maker:
            raise UserError(f"{where}, which nothing in the model makes")
        before = {r: {self.maker.get(n, -1) for n in names} for r, names in enumerate(self.reads)}
        try:
            graphlib.TopologicalSorter(before).prepare()
        except graphlib.CycleError as error:
            loop = " -> ".join(self.label(r) for r in error.args[1])
            raise UserError(f"the model has a cycle: {loop}") from error
        made = f"made later, by node {self.maker[name]}"
        raise UserError(f"{where}, {made}: sort the nodes topologically first")

    def label(self, rank: int) -> str:
        """Return a node's name, or its operator and first output where it has none."""
        node = self.nodes[rank]
        return node.name or f"{node.op_type} of {next(filter(None, node.output), 'nothing')}"

    @cached_property
    def dynamic(self) -> set[str]:
        """The names whose values the model's inputs (or chance) decide; the rest is constant."""
        names = set(self.inputs)
        for node, read in zip(self.nodes, self.reads, strict=True):
            if is_random(node) or not names.isdisjoint(read):
                names.update(filter(None, node.output))
        return names

    @cached_property
    def live(self) -> set[int]:
        """The ranks that some output of the model depends on."""
        return set(self.ancestors(self.outputs))

    def ancestors(self, names: Iterable[str], stop: Iterable[str] = ()) -> list[int]:
        """Return, ascending, the ranks needed to make ``names`` when ``stop`` is given."""
        stop, ranks = set(stop), set()
        waiting = [name for name in names if name not in stop]
        while waiting:
            rank = self.maker.get(waiting.pop(), -1)
            if rank >= 0 and rank not in ranks:
                ranks.add(rank)
                waiting.extend(name for name in self.reads[rank] if name not in stop)
        return sorted(ranks)

    @cached_property
    def lean_lives(self) -> dict[str, Life]:
        """Lives under the lean rule: dynamic tensors, and readers that some output needs."""
        lives = {name: Life(rank) for name, rank in self.maker.items() if name in self.dynamic}
        for rank in sorted(self.live):
            for name in self.reads[rank]:
                if name in lives:
                    lives[name].last = rank
                    if self.nodes[rank].op_type != "Shape":
                        lives[name].last_value = rank
        return self._until_the_end(lives)

    @cached_property
    def plain_lives(self) -> dict[str, Life]:
        """Lives as TR 26.847 counts: everything nodes make, and inputs read later."""
        lives = {name: Life(rank) for name, rank in self.maker.items()}
        for rank, names in enumerate(self.reads):
            for name in names:
                if name in lives:
                    lives[name].last = lives[name].last_value = rank
        return self._until_the_end(lives)

    def _until_the_end(self, lives: dict[str, Life]) -> dict[str, Life]:
        for name in self.outputs:
            if name in lives:
                lives[name].last = lives[name].last_value = len(self.nodes)
        return lives

    def shape_name(self, name: str) -> str:
        """Return a name, free in this model, under which the shape of ``name`` crosses."""
        free = f"{name}:shape"
        while free in self.maker or free in self.weights:
            free += "_"
        return free

    def rank_of(self, name: str) -> int:
        """Return the rank of the node called ``name``, or of the one that makes ``name``.

        Raises UserError where there is none (with the nearest names), where several nodes
        have that name, and where it belongs to the body of a control-flow node.
        """
        try:
            return rank_named(name, [node.name for node in self.nodes], self.maker)
        except UserError:
            self._refuse_inner(name)
            raise

    def _refuse_inner(self, name: str) -> None:
        for rank, node in enumerate(self.nodes):
            if name in _inner_names(node):
                where = f"{node.op_type} node {self.label(rank)!r} (rank {rank})"
                inside = f"node {name!r} is inside the body of {where}"
                raise UserError(f"{inside}: split before or after that") from None


def _inner_names(node: onnx.NodeProto) -> set[str]:
    names = set()
    for body in bodies(node):
        for inner in body.node:
            names |= {inner.name, *inner.output} | _inner_names(inner)
    return names - {""}

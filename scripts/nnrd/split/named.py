"""Cuts at named tensors: part II starts from these, wherever in the file they are made."""

from collections.abc import Iterable, Sequence

from nnrd.core.errors import UserError
from nnrd.core.naming import nearest
from nnrd.split.graph import Graph, is_random


def crossing_at(graph: Graph, tensors: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what crosses a cut at ``tensors``: these, and tensors that cross as their shape.

    Both in order of production. Of what the inputs decide beside the named tensors, part II may
    know shapes, such as an image's size: these cross by themselves. Raises UserError: a name that
    is unknown, given twice, constant, or read by nothing behind the others; tensors that do not
    cut the model, since part II would still need a value that they do not decide; a cut behind
    which nothing is left.
    """
    _check(graph, tensors)
    read, shapes = _Behind(graph, set(tensors)).walk()
    idle = [name for name in tensors if name not in read]
    if idle:
        raise UserError(f"nothing behind the cut reads tensor {idle[0]!r}: leave it out")
    sent = sorted([*tensors, *shapes], key=lambda name: (graph.maker[name], name))
    rest = set(graph.ancestors(graph.outputs, stop=sent))
    if not rest:
        raise UserError("nothing is left behind the cut: these are the model's outputs")
    for rank in sorted(rest & set(graph.ancestors(sent))):
        if is_random(graph.nodes[rank]):
            raise UserError(f"both parts would run the random node {graph.label(rank)}")
    return sent, [name for name in sent if name in shapes]


def _check(graph: Graph, tensors: Sequence[str]) -> None:
    if not tensors:
        raise UserError("a cut at tensors needs the name of one at least")
    for number, name in enumerate(tensors):
        if name in tensors[:number]:
            raise UserError(f"tensor {name!r} is given twice")
        if name in graph.weights or (name in graph.maker and name not in graph.dynamic):
            raise UserError(f"tensor {name!r} is constant: part II has it")
        if name not in graph.maker:
            near = ", ".join(nearest(name, list(graph.maker)))
            raise UserError(
                f"no tensor is called {name!r}" + (f"; nearest: {near}" if near else "")
            )


class _Behind:
    """The way back from the outputs to the named tensors.

    ``free``: what the inputs decide by a way that leads through none of the named tensors.
    """

    def __init__(self, graph: Graph, tensors: set[str]) -> None:
        self.graph, self.tensors = graph, tensors
        self.free = set(graph.inputs) - tensors
        for node, reads in zip(graph.nodes, graph.reads, strict=True):
            if is_random(node) or not self.free.isdisjoint(reads):
                self.free.update(name for name in node.output if name and name not in tensors)
        self.readers: dict[str, str | None] = {}  # name → the name that was made of it

    def walk(self) -> tuple[set[str], set[str]]:
        """Return the names whose values part II reads, and those of which it reads the shape."""
        shapes: set[str] = set()
        waiting: list[tuple[str, str | None]] = [(name, None) for name in self.graph.outputs]
        while waiting:
            name, reader = waiting.pop()
            if name in self.readers:
                continue
            self.readers[name] = reader
            rank = self.graph.maker.get(name, -1)
            if name in self.tensors:
                continue
            if rank < 0:
                self._refuse_inputs([name])
            elif self._is_shape(rank):
                shapes.add(self.graph.nodes[rank].input[0])
            else:
                waiting += [(other, name) for other in self.graph.reads[rank]]
        return set(self.readers), shapes - set(self.readers)

    def _is_shape(self, rank: int) -> bool:
        node = self.graph.nodes[rank]
        return node.op_type == "Shape" and node.input[0] in self.free

    def _refuse_inputs(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.free:
                raise UserError(f"these tensors do not cut the model: {self._entry(name)}")

    def _entry(self, name: str) -> str:
        """Say where what follows from an input alone meets what follows from the tensors."""
        told = f"and that follows from input {name!r} beside them; name a tensor on that way too"
        while (reader := self.readers[name]) is not None:
            rank = self.graph.maker[reader]
            others = set(self.graph.reads[rank]) & self.graph.dynamic - self.free
            if others:
                return f"node {self.graph.label(rank)} (rank {rank}) needs {name!r}, {told}"
            name = reader
        return f"output {name!r} is needed, {told}"

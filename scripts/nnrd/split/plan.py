"""Where a model is split, and what crosses there."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import onnx

from nnrd.core.errors import UserError
from nnrd.split.graph import Graph
from nnrd.split.named import crossing_at

RULES = ("lean", "plain")
AT = "at"  # where a cut at tensors is


@dataclass(frozen=True)
class Plan:
    """A split of a model before a node: part I is nodes [0, rank), part II the rest.

    ``rank`` and ``node_name`` are those of part II's first node; ``where`` says how the user
    asked ("after" node j is "before" node j + 1). Of a cut ``at`` tensors, ``rank`` is the first
    behind all that cross, and ``node_name`` has the tensors' names. ``crossing`` are the names that
    part I sends and part II takes, in order of production, model inputs first:

    - by the lean rule, the tensors that part II needs and cannot make itself: constants are
      left to part II, and a tensor of which only the shape is asked crosses as its shape;
    - by the plain rule, each tensor made before the split and read after it, constants
      included, as TR 26.847, clause 5.3.9, counts branches.

    ``plain_crossing`` is what crosses by the plain rule; the same names if ``rule`` is plain.
    ``model_inputs``: crossing names that are inputs of the model (they have to be sent too).
    ``passed_through``: outputs of the model that part I makes; part II hands them on.
    ``shape_only``: the tensors that cross as their shapes, by the name of the tensor;
    ``shape_names`` are the names they cross under (int64 vectors).
    ``branches`` and ``plain_branches`` are the lengths of the two lists.
    """

    rank: int
    node_name: str
    op_type: str
    where: str
    rule: str
    crossing: tuple[str, ...]
    plain_crossing: tuple[str, ...]
    model_inputs: tuple[str, ...]
    passed_through: tuple[str, ...]
    shape_only: tuple[str, ...]
    shape_names: tuple[str, ...]

    @property
    def branches(self) -> int:
        """The number of tensors that cross."""
        return len(self.crossing)

    @property
    def plain_branches(self) -> int:
        """The number of tensors that cross as TR 26.847 counts."""
        return len(self.plain_crossing)

    def as_record(self) -> dict[str, Any]:
        """Return the plan as JSON values, ``branches`` and ``plain_branches`` included."""
        counts = {"branches": self.branches, "plain_branches": self.plain_branches}
        return asdict(self) | counts

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Plan":
        """Return the plan of `as_record`; UserError if it is something else."""
        try:
            values: dict[str, Any] = {name: record[name] for name in cls.__dataclass_fields__}
        except (KeyError, TypeError) as error:
            raise UserError(f"not a split plan: {error!r}") from error
        lists = {name: tuple(v) for name, v in values.items() if isinstance(v, list)}
        return cls(**values | lists)


def cut(
    model: onnx.ModelProto | Graph,
    rank: int | None = None,
    name: str | None = None,
    where: str = "before",
    rule: str = "lean",
    tensors: Sequence[str] | None = None,
) -> Plan:
    """Plan a split of ``model`` before or after the node of that rank or name, or at tensors.

    Ranks are the file's node order, from 0; "before" takes ranks 1…N−1, "after" 0…N−2.
    A name may also be that of a tensor, which stands for the node that makes it. Part II of a cut
    at ``tensors`` starts from these, wherever they are made; the lean rule holds, see
    `nnrd.split.named.crossing_at`. Raises UserError: tensors that do not cut, no such rank or name
    (with the valid range or the nearest names), a name
    within a control-flow body, a model that is not sorted or has cycles.
    """
    graph = model if isinstance(model, Graph) else Graph(model)
    if [rank, name, tensors].count(None) != 2:
        raise UserError("a split is given by a rank, a node's name or tensors: give one of them")
    if tensors is not None:
        return _plan_at(graph, tensors, where, rule)
    asked: int | str = str(name) if rank is None else rank
    if where not in ("before", "after") or rule not in RULES:
        raise UserError(f"where={where!r}, rule={rule!r}: before or after, lean or plain")
    shift = where == "after"
    first = (graph.rank_of(asked) if isinstance(asked, str) else asked) + shift
    if not 1 <= first < len(graph.nodes):
        _refuse(graph, asked, where)
    return _plan(graph, first, where, rule)


def _plan_at(graph: Graph, tensors: Sequence[str], where: str, rule: str) -> Plan:
    if (where, rule) != ("before", "lean"):
        raise UserError("a cut at tensors has no side, and its rule is lean")
    sent, of_shape = crossing_at(graph, tensors)
    shapes = {name: graph.shape_name(name) for name in of_shape}
    crossing = tuple(shapes.get(name, name) for name in sent)
    return Plan(
        rank=1 + max(graph.maker[name] for name in sent),
        node_name=", ".join(name for name in sent if name not in shapes),
        op_type="",
        where=AT,
        rule=rule,
        crossing=crossing,
        plain_crossing=crossing,
        model_inputs=tuple(n for n in sent if graph.maker[n] < 0 and n not in shapes),
        passed_through=tuple(n for n in graph.outputs if n in sent and n not in shapes),
        shape_only=tuple(shapes),
        shape_names=tuple(shapes.values()),
    )


def _refuse(graph: Graph, asked: int | str, where: str) -> None:
    count = len(graph.nodes)
    if count < 2:
        raise UserError(f"the model has {count} node: nothing to split")
    low, high = (1, count - 1) if where == "before" else (0, count - 2)
    raise UserError(f"no split {where} {asked!r}: {where} takes ranks {low} to {high}")


def _plan(graph: Graph, rank: int, where: str, rule: str) -> Plan:
    plain = crossing_plain(graph, rank)
    lives = graph.lean_lives
    asked = crossing_lean(graph, rank) if rule == "lean" else plain
    shapes = {
        n: graph.shape_name(n) for n in asked if rule == "lean" and lives[n].last_value < rank
    }
    return Plan(
        rank=rank,
        node_name=graph.label(rank),
        op_type=graph.nodes[rank].op_type,
        where=where,
        rule=rule,
        crossing=tuple(shapes.get(n, n) for n in asked),
        plain_crossing=tuple(plain),
        model_inputs=tuple(n for n in asked if graph.maker[n] < 0 and n not in shapes),
        passed_through=tuple(n for n in graph.outputs if n in asked),
        shape_only=tuple(shapes),
        shape_names=tuple(shapes.values()),
    )


def crossing_lean(graph: Graph, rank: int) -> list[str]:
    """Return the tensors that cross before ``rank``, some of them only as their shape."""
    return [n for n, life in graph.lean_lives.items() if life.made < rank <= life.last]


def crossing_plain(graph: Graph, rank: int) -> list[str]:
    """Return the tensors made before ``rank`` and read at or after it."""
    return [n for n, life in graph.plain_lives.items() if life.made < rank <= life.last]

"""How a model is quantised: the parameters, as a configuration writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.schema import first_mistake
from nnrd.quantisation.backends import REGISTRY

PRESETS = ("performance", "mixed")
_NAMES = {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}
_CONTROL = {
    "type": "object",
    "additionalProperties": False,
    "required": ["max_drop"],
    "properties": {
        "max_drop": {
            "type": "number",
            "minimum": 0,
            "description": "how much worse the metric may be on the calibration items, in its unit",
        },
        "ranking_subset_size": {
            "type": "integer",
            "minimum": 1,
            "description": "items by which layers are ranked that may go back to float, 300",
        },
        "max_iterations": {
            "type": "integer",
            "minimum": 1,
            "description": "layers that may be put back to float at most; no limit if not given",
        },
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["backend"],
    "properties": {
        "backend": {"type": "string", "minLength": 1, "description": "what quantises"},
        "preset": {
            "enum": list(PRESETS),
            "description": "of NNCF: activations symmetric about 0 (performance) or not (mixed)",
        },
        "subset_size": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000_000,
            "description": "inputs of a graph that are calibrated with at most, 300",
        },
        "per_channel": {
            "type": "boolean",
            "description": "weights have a scale for each output channel, true",
        },
        "ignored": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"names": _NAMES, "types": _NAMES},
            "description": "layers that stay float, by name or by type",
        },
        "accuracy_control": _CONTROL
        | {"description": "layers go back to float until the metric is good enough"},
    },
}


@dataclass(frozen=True)
class Ignored:
    """Layers that stay float: ``names`` of nodes, ``types`` of operators, as the graph has them."""

    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccuracyControl:
    """Layers are put back to float until the metric dropped by ``max_drop`` at most, in its unit.

    ``max_iterations``: layers that are put back at most; None: no limit.
    """

    max_drop: float
    ranking_subset_size: int = 300
    max_iterations: int | None = None


@dataclass(frozen=True)
class Settings:
    """The parameters of a quantisation; `SCHEMA` explains each."""

    backend: str
    preset: str = "performance"
    subset_size: int = 300
    per_channel: bool = True
    ignored: Ignored = field(default_factory=Ignored)
    accuracy_control: AccuracyControl | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Settings:
        """Return the settings of parameters as a configuration has them.

        Raises UserError: what `SCHEMA` refuses, an unknown backend or one that is not installed,
        parameters that the backend has no use for.
        """
        given = dict(parameters)
        mistake = first_mistake(SCHEMA, given)
        if mistake:
            raise UserError(": ".join(part for part in mistake if part))
        _check(given)
        ignored = given.get("ignored", {})
        given["ignored"] = Ignored(*(tuple(ignored.get(key, ())) for key in ("names", "types")))
        if "accuracy_control" in given:
            given["accuracy_control"] = AccuracyControl(**given["accuracy_control"])
        return cls(**given)


def _check(given: Mapping[str, Any]) -> None:
    """Refuse parameters that the backend would ignore, or cannot do."""
    backend = REGISTRY.get(given["backend"])
    if "accuracy_control" in given and not backend.controls_accuracy:
        can = [name for name in REGISTRY.names() if REGISTRY.get(name).controls_accuracy]
        reason = f"backend {given['backend']} has none; {' and '.join(can)} have"
        raise UserError(f"accuracy_control: {reason}")
    for name in backend.unused:
        if name in given:
            raise UserError(f"{name}: backend {given['backend']} ignores it: leave it out")

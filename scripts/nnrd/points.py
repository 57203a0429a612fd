"""Points: what a study declares to be measured, and where the results of each one are.

A point's paths are a pure function of the point; nothing is ever found by a glob.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

SLUG_VALUE = re.compile(r"[A-Za-z0-9_.+-]+")
DEFAULT = "default"  # stands in a path for "no parameters"


@dataclass(frozen=True)
class Split:
    """A split point as a study declares it: a rank, or a side of a named node."""

    rank: int | None = None
    name: str | None = None
    where: str = "before"

    @property
    def id(self) -> str:
        """The split's name in paths."""
        if self.rank is not None:
            return f"rank{self.rank}"
        return f"{self.where}-{re.sub(r'[^A-Za-z0-9.]+', '_', self.name).strip('_')}"


@dataclass(frozen=True)
class Anchor:
    """What points are held against: a model on a dataset, without split and compression."""

    model: str
    dataset: str

    @property
    def folder(self) -> str:
        """The folder, under results/, of everything that is made for it."""
        return f"anchor/{self.model}/{self.dataset}"

    @property
    def label(self) -> dict[str, Any]:
        """The columns of the table of points that tell it from others."""
        return {"model": self.model, "dataset": self.dataset, "codec": "anchor", "parameters": {}}


@dataclass(frozen=True)
class Point:
    """One measured cell: a model, a dataset, perhaps a split, a codec and its parameters."""

    kind: str
    model: str
    dataset: str
    split: Split | None
    codec: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def source(self) -> str:
        """The folder, under results/, of the source that yields this point's tensors."""
        return f"{self.kind}/{self.model}/{self.dataset}/{self.split.id}"

    @property
    def folder(self) -> str:
        """The folder, under results/, of everything that is made for this point alone."""
        return f"{self.source}/{self.codec}/{slug(self.parameters)}"

    @property
    def label(self) -> dict[str, Any]:
        """The columns of the table of points that tell it from others, but for the split's."""
        return {
            "model": self.model,
            "dataset": self.dataset,
            "codec": self.codec,
            "parameters": dict(self.parameters),
        }


def slug(parameters: Mapping[str, Any]) -> str:
    """Return parameters as a part of a path: ``qp=-38,use_dq=true``; `parse` reads it back."""
    pairs = (f"{key}={_scalar(parameters[key])}" for key in sorted(parameters))
    return ",".join(pairs) or DEFAULT


def parse(text: str) -> dict[str, Any]:
    """Return the parameters of a `slug`."""
    if text == DEFAULT:
        return {}
    pairs = (part.split("=", 1) for part in text.split(","))
    return {key: yaml.safe_load(value) for key, value in pairs}


def fits_a_path(value: Any) -> bool:
    """Say whether `slug` can write a parameter's value and `parse` reads the same value back."""
    if not isinstance(value, bool | int | float | str):
        return False
    text = _scalar(value)
    return SLUG_VALUE.fullmatch(text) is not None and yaml.safe_load(text) == value


def combinations(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every combination of parameters whose values may be lists, in the lists' order."""
    values = [value if isinstance(value, list) else [value] for value in parameters.values()]
    return [dict(zip(parameters, chosen, strict=True)) for chosen in itertools.product(*values)]


def shards(items: int, shard_size: int) -> list[str]:
    """Return the names of a dataset's shards: ``0-of-2``, ``1-of-2``."""
    count = -(-items // shard_size)
    return [f"{i}-of-{count}" for i in range(count)]


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

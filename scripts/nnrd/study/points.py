"""Points: what a study declares to be measured; their paths are a pure function of them."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

SLUG_VALUE = re.compile(r"[A-Za-z0-9_.+-]+")
DEFAULT = "default"  # stands in a path for "no parameters"


@dataclass(frozen=True)
class Selection:
    """A dataset, or ``items`` of it drawn by ``seed``, cut into shards of ``shard_size`` items."""

    dataset: str
    count: int
    items: int | None = None
    shard_size: int = 50
    seed: int = 0

    @property
    def id(self) -> str:
        """Its name in paths, with the number of items, and the seed where it is not 0."""
        if self.items is None:
            return self.dataset
        return f"{self.dataset}-{self.items}" + (f"-seed{self.seed}" if self.seed else "")

    @property
    def shards(self) -> list[str]:
        """The names of the shards: ``0-of-2``, ``1-of-2``."""
        count = -(-self.count // self.shard_size)
        return [f"{i}-of-{count}" for i in range(count)]


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
        return f"{self.where}-{re.sub(r'[^A-Za-z0-9.]+', '_', str(self.name)).strip('_')}"


@dataclass(frozen=True)
class Operation:
    """Something with parameters: a codec at an operating point, or a transform."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def id(self) -> str:
        """Its part of a path, two folders: ``nnc/qp=-38,use_dq=true``."""
        return f"{self.name}/{slug(self.parameters)}"

    @property
    def label(self) -> str:
        """What a message calls it."""
        return f"{self.name} at {slug(self.parameters)}" if self.parameters else self.name


@dataclass(frozen=True)
class Anchor:
    """What points are held against: a model on a dataset, without split and compression.

    ``runtime`` runs it, ``torch`` or ``onnx``: that of the points, so that nothing but the codec
    lies between the two.
    """

    model: str
    data: Selection
    runtime: str

    @property
    def folder(self) -> str:
        """The folder, under results/, of everything that is made for it."""
        return f"anchor/{self.model}/{self.data.id}/{self.runtime}"

    @property
    def label(self) -> dict[str, Any]:
        """The columns of the table of points that tell it from others."""
        names = {"model": self.model, "dataset": self.data.dataset}
        return names | {"codec": "anchor", "parameters": {}, "runtime": self.runtime}


@dataclass(frozen=True)
class Point:
    """One measured cell: a model, a dataset, perhaps a split or a transform, a codec.

    ``source`` is the folder, under results/, of the source that yields its tensors; ``folder``
    that of what is made for this point alone. A study's kind gives both. ``decoded_shards`` are
    those that are decoded by a job of their own, and not by the one that runs part II on them.
    """

    kind: str
    source: str
    folder: str
    source_shards: tuple[str, ...]
    anchor: Anchor
    codec: Operation
    split: Split | None = None
    transform: Operation | None = None
    decoded_shards: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """The model's name."""
        return self.anchor.model

    @property
    def encoded(self) -> str:
        """The folder, under results/, of this source's bitstreams at this operating point."""
        return f"{self.source}/{self.codec.id}"

    @property
    def label(self) -> dict[str, Any]:
        """The columns of the table of points that tell it from others, but for the split's."""
        names = self.anchor.label | {"codec": self.codec.name}
        names["parameters"] = dict(self.codec.parameters)
        return names | ({"transform": self.transform.label} if self.transform else {})


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


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Points: what a study declares to be measured, and where the results of each one are.

A point's paths are a pure function of the point; nothing is ever found by a glob.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

SLUG_VALUE = re.compile(r"[A-Za-z0-9_.+-]+")
DEFAULT = "default"  # stands in a path for "no parameters"
ALL = "all"  # and for all studies of a run


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
    """One measured cell: a model, a dataset, perhaps a split, a codec and its parameters.

    Each kind of study has its own class, found by name in ``KINDS``: where its tensors come
    from, and what depends on what.
    """

    columns: ClassVar[tuple[str, ...]]  # of the sheet of models, which such a study needs
    is_split: ClassVar[bool]
    source_pattern: ClassVar[str]  # a regular expression of all sources
    plots: ClassVar[tuple[str, ...]]  # modules of nnrd.plots
    joint_plots: ClassVar[tuple[str, ...]] = ()  # those that also show all studies in one

    model: str
    dataset: str
    split: Split | None
    codec: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def source(self) -> str:
        """The folder, under results/, of the source that yields this point's tensors."""
        raise NotImplementedError

    @property
    def encoded(self) -> str:
        """The folder, under results/, of this source's bitstreams at this operating point."""
        return f"{self.source}/{self.codec}/{slug(self.parameters)}"

    @property
    def folder(self) -> str:
        """The folder, under results/, of everything that is made for this point alone."""
        return self.encoded

    @property
    def plan(self) -> str | None:
        """The file that says where the model was split; None where it is not."""
        return None

    def source_shards(self, shards: list[str]) -> list[str]:
        """Return the shards of the source's tensors for a dataset's ``shards``."""
        return shards

    @property
    def label(self) -> dict[str, Any]:
        """The columns of the table of points that tell it from others, but for the split's."""
        return {
            "model": self.model,
            "dataset": self.dataset,
            "codec": self.codec,
            "parameters": dict(self.parameters),
        }


class FeaturesPoint(Point):
    """What crosses a split is compressed: a bundle an item, so the dataset is in the source."""

    columns = ("architecture", "detector")
    is_split = True
    source_pattern = "features/[^/]+/[^/]+/[^/]+"
    plots = ("accuracy_bytes", "accuracy_ratio", "codec_bars")

    @property
    def source(self) -> str:
        """One source a model, dataset and split."""
        return f"features/{self.model}/{self.dataset}/{self.split.id}"

    @property
    def plan(self) -> str | None:
        """The split's JSON file."""
        return f"results/split/{self.model}/{self.split.id}/split.json"


class WeightsPoint(Point):
    """The model is compressed: one bundle, which knows nothing of the dataset."""

    columns = ("network",)
    is_split = False
    source_pattern = "weights/[^/]+"
    plots = ("accuracy_size",)
    joint_plots = ("accuracy_size",)

    @property
    def source(self) -> str:
        """One source a model; so another dataset does not encode again."""
        return f"weights/{self.model}"

    @property
    def folder(self) -> str:
        """What is made for the point alone is the evaluation on its dataset."""
        return f"{self.encoded}/{self.dataset}"

    def source_shards(self, shards: list[str]) -> list[str]:
        """Return the one shard of a model's tensors."""
        return ["0-of-1"]


KINDS: dict[str, type[Point]] = {"features": FeaturesPoint, "weights": WeightsPoint}


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

"""Points: what a study declares to be measured; their paths are a pure function of them."""

import hashlib
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

SLUG_VALUE = re.compile(r"[A-Za-z0-9_.+-]+")
NOTHING = "nothing"  # stands in a path where no items are looked at
DEFAULT = "default"  # stands in a path for "no parameters"
VARIANT = "+"  # stands behind a model's name and before its other options
LONGEST_NAME = 80  # characters of a node's name in a path
LONGEST, HASH = 100, 20  # characters of parameters in a path, and of these for their hash
AUTO = "auto"  # the provider where any will do: a GPU if there is one


@dataclass(frozen=True)
class Selection:
    """A dataset, or ``items`` of it drawn by ``seed``, cut into shards of ``shard_size`` items.

    ``without``: the id of a selection none of whose items is drawn.
    """

    dataset: str
    count: int
    items: int | None = None
    shard_size: int = 50
    seed: int = 0
    without: str | None = None

    @property
    def id(self) -> str:
        """Its name in paths, with the number of items, and the seed where it is not 0."""
        if self.items is None:
            return self.dataset
        drawn = f"{self.dataset}-{self.items}" + (f"-seed{self.seed}" if self.seed else "")
        return drawn + (f"-without-{self.without}" if self.without else "")

    @property
    def shards(self) -> list[str]:
        """The names of the shards: ``0-of-2``, ``1-of-2``."""
        count = -(-self.count // self.shard_size)
        return [f"{i}-of-{count}" for i in range(count)]


@dataclass(frozen=True)
class Split:
    """A split point as a study declares it: a rank, a side of a named node, or named tensors."""

    rank: int | None = None
    name: str | None = None
    where: str = "before"
    tensors: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The split's name in paths, which differs where splits do."""
        if self.rank is not None:
            return f"rank{self.rank}"
        name, side = str(self.name), self.where
        if self.tensors:
            name, side = " ".join(sorted(self.tensors)), "at"
        plain = re.sub(r"[^A-Za-z0-9._]+", "_", name).strip("_")[:LONGEST_NAME]
        if plain != name:
            plain = f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
        return f"{side}-{plain}"


class Providers(NamedTuple):
    """What runs each part of a split model: ``auto``, ``cpu`` or ``cuda``.

    The whole model, which part II's outputs are held against, runs where part II does.
    """

    part1: str = AUTO
    part2: str = AUTO


def at(provider: str) -> str:
    """Return what a path says of a provider, behind a name: ``@cpu``; nothing of ``auto``."""
    return "" if provider == AUTO else f"@{provider}"


@dataclass(frozen=True)
class Operation:
    """Something with parameters: a codec at an operating point, or a transform.

    ``decodable`` is false of a codec that is a bound on the rate; ``lossless`` is true of one that
    changes nothing.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)
    decodable: bool = True
    lossless: bool = False

    @cached_property
    def id(self) -> str:
        """Its part of a path, two folders: ``nnc/qp=-38,use_dq=true``."""
        return f"{self.name}/{slug(self.parameters)}"

    @property
    def label(self) -> str:
        """What a message calls it."""
        return f"{self.name} at {text(self.parameters)}" if self.parameters else self.name


@dataclass(frozen=True)
class Anchor:
    """What points are held against: a model on a dataset, without split and compression.

    ``runtime`` runs it, ``torch`` or ``onnx``, on a ``provider``: those of the points, so that
    nothing but the codec lies between the two.
    """

    model: str
    data: Selection
    runtime: str
    provider: str = AUTO

    predicts: ClassVar[bool] = True

    @property
    def folder(self) -> str:
        """The folder, under results/, of everything that is made for it."""
        return f"anchor/{self.below}"

    @property
    def below(self) -> str:
        """What tells the whole model's runs apart in a path: model, dataset, what runs it."""
        return f"{self.model}/{self.data.id}/{self.runtime}{at(self.provider)}"

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
    def predicts(self) -> bool:
        """Whether its model runs on what was decoded; a bound on the rate has a size only."""
        return self.codec.decodable

    @property
    def decoded(self) -> tuple[str, ...]:
        """The shards that are decoded by a job of their own."""
        return self.decoded_shards if self.codec.decodable else ()

    @property
    def label(self) -> dict[str, Any]:
        """The columns of the table of points that tell it from others, but for a split's rank."""
        names = _label(self.anchor, self.codec) | {"sent": self.kind}
        if self.split and self.split.name:
            names["split_name"] = self.split.name
        if self.split and self.split.tensors:
            names["split_name"] = f"at {', '.join(self.split.tensors)}"
        return names | ({"transform": self.transform.label} if self.transform else {})


@dataclass(frozen=True)
class FilePoint:
    """A point whose items are sent as files, ``codec`` being how, to the whole model."""

    anchor: Anchor
    codec: Operation

    predicts: ClassVar[bool] = True

    @property
    def folder(self) -> str:
        """The folder, under results/, of everything that is made for it."""
        return f"files/{self.anchor.below}/{self.codec.id}"

    @property
    def label(self) -> dict[str, Any]:
        """The columns of the table of points that tell it from others."""
        return _label(self.anchor, self.codec) | {"sent": "files"}


@dataclass(frozen=True)
class ModelPoint:
    """A point whose codec takes the model as a whole, graphs and weights, such as INT8.

    ``graphs`` are what the model consists of; ``runtime`` runs what the codec makes of them;
    ``calibration`` are the items that it looks at, if any.
    """

    anchor: Anchor
    codec: Operation
    graphs: tuple[str, ...]
    runtime: str
    calibration: Selection | None = None

    predicts: ClassVar[bool] = True

    @property
    def encoded(self) -> str:
        """The folder, under results/, of the model as the codec makes it."""
        looked_at = self.calibration.id if self.calibration else NOTHING
        return f"quantised/{self.anchor.model}/{looked_at}/{self.codec.id}"

    @property
    def folder(self) -> str:
        """The folder, under results/, of what is made for it alone: the evaluation."""
        return f"{self.encoded}/{self.anchor.data.id}"

    @property
    def label(self) -> dict[str, Any]:
        """The columns of the table of points that tell it from others."""
        return _label(self.anchor, self.codec) | {"sent": "weights", "runtime": self.runtime}


@dataclass(frozen=True)
class ProfilePoint:
    """A measurement of a model on made inputs: what ran it, how, on what, and how often.

    ``model`` is a row of the sheet, perhaps one with ``options`` changed, of the row ``base``;
    ``network``: the row whose network it has; ``graphs``: those that are run where no PyTorch is.
    ``size``: of an input, None where there is but one; ``device``: ``cpu`` or ``cuda``.
    ``repeats`` times ``samples`` runs after ``warm_up`` are timed; ``power_seconds``: how long it
    runs for the watts; ``tdp_watts``: by which energy is estimated, None where nobody asks.
    ``seconds``: of an input that is a recording.
    """

    model: str
    base: str
    network: str
    options: Mapping[str, Any] = field(hash=False)
    runtime: str
    precision: str
    device: str
    threads: int
    size: int | None
    batch: int
    unit: str | None = None
    seconds: float | None = None
    graphs: tuple[str, ...] = ()
    warm_up: int = 10
    samples: int = 100
    repeats: int = 5
    power_seconds: float = 60
    tdp_watts: float | None = None

    @property
    def runs(self) -> str:
        """Its part of a path that says what runs it, and how."""
        names = ("runtime", "precision", "device", "threads")
        return text({name: getattr(self, name) for name in names})

    @property
    def measured(self) -> str:
        """Its part of a path that says on what it runs, and how often."""
        names = ("size", "batch", "warm_up", "samples", "repeats", "power_seconds", "tdp_watts")
        given = {name: getattr(self, name) for name in names}
        return text({name: value for name, value in given.items() if value is not None})

    @property
    def label(self) -> dict[str, Any]:
        """The columns of the table of profiles that tell it from others."""
        names = ("runtime", "precision", "device", "threads", "size", "unit", "batch", "seconds")
        columns = {name: getattr(self, name) for name in names}
        return {"model": self.base, "options": dict(self.options)} | columns

    @property
    def protocol(self) -> dict[str, Any]:
        """How often it is run, and for how long."""
        names = ("warm_up", "samples", "repeats", "power_seconds", "tdp_watts")
        return {name: getattr(self, name) for name in names}


Record = Anchor | FilePoint | ModelPoint | Point  # what becomes a row of the table of points


def _label(anchor: Anchor, codec: Operation) -> dict[str, Any]:
    coded = {"codec": codec.name, "parameters": dict(codec.parameters)}
    return anchor.label | coded | {"lossless": codec.lossless}


def variant(model: str, options: Mapping[str, Any]) -> str:
    """Return the name, in tables and paths, of a model's row with some other options."""
    return f"{model}{VARIANT}{slug(options)}"


def text(parameters: Mapping[str, Any]) -> str:
    """Return parameters as a person reads them: ``qp=-38,use_dq=true``."""
    pairs = (f"{key}={_scalar(parameters[key])}" for key in sorted(parameters))
    return ",".join(pairs) or DEFAULT


def slug(parameters: Mapping[str, Any]) -> str:
    """Return parameters as a part of a path, which differs where they differ.

    That is their `text`, unless it is long or a value cannot stand in a path; then what is short
    of it, and a hash of all: ``qp=-38,hash-3f2a1b9c04``.
    """
    plain = {key: value for key, value in parameters.items() if fits_a_path(value)}
    if len(plain) == len(parameters) and len(text(plain)) <= LONGEST:
        return text(plain)
    digest = hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode()).hexdigest()
    kept: list[str] = []
    for key in sorted(plain):
        pair = text({key: plain[key]})
        if len(",".join([*kept, pair])) <= LONGEST - HASH:
            kept.append(pair)
    return ",".join([*kept, f"hash-{digest[:10]}"])


def parsed(part: str) -> dict[str, str]:
    """Return the values, as text, of a part of a path that `text` made."""
    return dict(pair.partition("=")[::2] for pair in part.split(","))


def fits_a_path(value: Any) -> bool:
    """Say whether a value can stand in a path, and no other value is written alike."""
    if not isinstance(value, bool | int | float | str):
        return False
    written = _scalar(value)
    if not SLUG_VALUE.fullmatch(written):
        return False
    return not isinstance(value, str) or _is_text(value)


def _is_text(word: str) -> bool:
    """Say that a word is neither a number nor a switch."""
    try:
        float(word)
    except ValueError:
        return word not in ("true", "false")
    return False


def combinations(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every combination of parameters whose values may be lists, in the lists' order."""
    values = [value if isinstance(value, list) else [value] for value in parameters.values()]
    return [dict(zip(parameters, chosen, strict=True)) for chosen in itertools.product(*values)]


def _scalar(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))

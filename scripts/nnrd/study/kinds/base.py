"""What every kind of study says of itself, and what a study of any kind answers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeVar

from nnrd.core.errors import UserError
from nnrd.study.graphs import Graphs
from nnrd.study.places import Places
from nnrd.study.points import ModelPoint, Record, Selection
from nnrd.study.sheets import Sheets
from nnrd.study.split_costs import SplitCosts

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """What a study is checked against; ``fail`` raises UserError for a key, with a reason."""

    sheets: Sheets
    places: Places
    graphs: Graphs
    fail: Callable[[str, str], NoReturn]

    def tried(self, key: str, function: Callable[..., T], *given: Any) -> T:
        """Return what a function returns; its UserError gets the key's path."""
        try:
            return function(*given)
        except UserError as error:
            self.fail(key, str(error))


class Job(NamedTuple):
    """A job that takes long, for the estimate.

    ``like``: the folder below benchmarks/ of the jobs that cost the same; ``output``: folder or
    file below results/. What it takes, by a figure a value: ``encoded`` with ``codec``,
    ``decoded``, ``run`` (values of the model times items), or, where they are known, ``macs``,
    multiply-accumulates. ``table``: the model whose table of splits says so.
    """

    rule: str
    like: str
    output: str
    gpu: bool = False
    encoded: float = 0
    decoded: float = 0
    run: float = 0
    stored: float = 0  # bytes
    macs: float = 0
    codec: str | None = None
    table: str | None = None


@dataclass(frozen=True)
class Study(ABC):
    """A study as the configuration declares it, checked and expanded."""

    name: str
    kind: "Kind"

    @property
    @abstractmethod
    def models(self) -> list[str]:
        """The models that it needs."""

    @property
    def selections(self) -> list[Selection]:
        """The datasets that it goes through, cut into shards."""
        return []

    @property
    def records(self) -> list[Record]:
        """What becomes a row of the table of points: the anchor first, then the points."""
        return []

    def keys_for(self, device: str) -> list[str]:
        """Return the keys that ask for a device, ``cpu`` or ``cuda``; by default there are none."""
        del device
        return []

    @property
    def measurements(self) -> list[str]:
        """The files, beside its records, that say what made them; by default there are none."""
        return []

    @property
    def scored(self) -> list[Record]:
        """What the steps of anchors and points score for it; by default its records."""
        return self.records

    @property
    def quantised(self) -> list[ModelPoint]:
        """The points whose codec takes the model as a whole; by default there are none."""
        return []

    @abstractmethod
    def pictures(self) -> list[str]:
        """Return the plots, overlays and pages that it wants."""

    @abstractmethod
    def files(self) -> list[str]:
        """Return all files, and folders, that are made for it, whatever becomes of them later."""

    def jobs(self, sheets: Sheets, splits: SplitCosts) -> list[Job]:
        """Return the jobs that take long, for the estimate."""
        return []

    def assets(self, sheets: Sheets) -> list[str]:
        """Return the names of the assets that it needs."""
        rows = [sheets.models[name] for name in self.models]
        named = [asset for row in rows for asset in (row.asset, sheets.packages(row.model))]
        named += [sheets.datasets[data.dataset].asset for data in self.selections]
        return list(dict.fromkeys(name for name in named if name is not None))


class Kind(ABC):
    """A kind of study: its name in the configuration, its plots, and how a study is expanded.

    ``plots`` are names of `nnrd.report.plots`, drawn of each study; ``joint_plots`` those that
    are also drawn of all studies together.
    """

    name: ClassVar[str]
    plots: ClassVar[tuple[str, ...]] = ()
    joint_plots: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def study(self, context: Context, name: str, given: Mapping[str, Any]) -> Study:
        """Return a study; ``given`` fits the kind's schema and has its defaults."""

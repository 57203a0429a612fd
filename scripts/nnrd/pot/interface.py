"""What a user of POT subclasses: the loader of the data, and the metric."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from nnrd.core.errors import UserError


class Config(dict):
    """A mapping whose keys are attributes too; one that is missing is an empty `Config`.

    As the package addict has it, in which POT keeps every configuration; mappings in it, also in
    lists, become configurations.
    """

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__()
        for key, value in dict(*given, **more).items():
            self[key] = value

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, _wrapped(value))

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __missing__(self, key: Any) -> Config:
        return Config()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copy and pickle ask for methods so
            raise AttributeError(name)
        return self[name]


def _wrapped(value: Any) -> Any:
    if isinstance(value, Mapping) and not isinstance(value, Config):
        return Config(value)
    if type(value) in (list, tuple):
        return type(value)(_wrapped(item) for item in value)
    return value


class DataLoader(ABC):
    """Items by their number, as POT reads them.

    An item is ``(data, annotation)``, or, as POT had it before 2022.2, ``((number, annotation),
    data)``; either may have metadata behind it, which `IEEngine.postprocess_output` is given.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config if isinstance(config, Config) else Config(config)

    @abstractmethod
    def __getitem__(self, index: int) -> tuple:
        """Return an item."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of items."""


class Metric(ABC):
    """How good the outputs of a model are; several numbers by name, as POT has it."""

    def __init__(self) -> None:
        self.reset()

    @property
    def value(self) -> dict[str, Any]:
        """The values of the last update by the metric's name, one an item of its batch."""
        raise UserError("AccuracyAwareQuantization needs the metric's `value`: define it")

    @property
    @abstractmethod
    def avg_value(self) -> dict[str, Any]:
        """The value over all outputs since `reset`, by the metric's name."""

    @abstractmethod
    def update(self, output: Any, target: Any) -> None:
        """Take a batch: what `IEEngine.postprocess_output` gave, and the annotations."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all outputs."""

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Do as `update`."""
        self.update(*args, **kwargs)

    @property
    def higher_better(self) -> bool:
        """Whether more is better; what counts is `get_attributes`, as in POT."""
        return True

    @abstractmethod
    def get_attributes(self) -> dict[str, dict[str, str]]:
        """Return ``direction`` (``higher-better`` or ``higher-worse``) and ``type`` by name."""

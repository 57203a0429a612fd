"""OpenVINO's objects as POT's engines use them, with one of nnrd's runs behind them.

An engine compiles its model, makes a request and infers. What it feeds is what NNCF has to
calibrate with, and the model that NNCF tries is not the engine's to compile; so it is given these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnrd.core.errors import UserError
from nnrd.quantisation import packages
from nnrd.quantisation.interface import Arrays, Run


class Core:
    """OpenVINO's Core, but that the engine's own model is what ``current`` runs."""

    def __init__(self, current: Callable[[], Run]) -> None:
        openvino = packages.load("openvino", "nnrd.pot")
        self._core, self._current = openvino.Core(), current

    def compile_model(self, model: Any, device_name: str = "", config: Any = None) -> Compiled:
        """Return what runs ``model``, the engine's ``_model``; options of devices do not count."""
        return Compiled(model, self._current())

    def set_property(self, *_: Any) -> None:
        """Do nothing: nnrd runs on one thread, in float32 where a layer is not quantised."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)


class Compiled:
    """A compiled model: its ports, and requests that infer."""

    def __init__(self, model: Any, run: Run) -> None:
        self._model, self._run = model, run
        self.inputs, self.outputs = list(model.inputs), list(model.outputs)

    def input(self, key: int | str | None = None) -> Any:
        """Return an input by its number or name, or the only one."""
        return self._model.input() if key is None else self._model.input(key)

    def output(self, key: int | str | None = None) -> Any:
        """Return an output by its number or name, or the only one."""
        return self._model.output() if key is None else self._model.output(key)

    def create_infer_request(self) -> Request:
        """Return what infers."""
        return Request(self)

    def infer_new_request(self, inputs: Any = None) -> Results:
        """Infer; see `Request.infer`."""
        return Request(self).infer(inputs)

    __call__ = infer_new_request

    def infer(self, inputs: Any) -> Results:
        """Return the outputs for inputs by port, name or number, for a list, or for one array."""
        if isinstance(inputs, np.ndarray):
            inputs = [inputs]
        given = dict(inputs) if isinstance(inputs, Mapping) else dict(enumerate(inputs))
        ports = {self._port(key): np.asarray(value) for key, value in given.items()}
        missing = set(range(len(self.inputs))) - ports.keys()
        if missing:
            raise UserError(f"input {_names(self.inputs[min(missing)])[0]}: the engine feeds none")
        feeds = {self.inputs[n].get_any_name(): self._fit(n, ports[n]) for n in sorted(ports)}
        return Results(self.outputs, self._run(feeds))

    def _port(self, key: Any) -> int:
        """Return the number of an input."""
        if isinstance(key, int):
            return key
        names = {key} if isinstance(key, str) else set(_names(key))
        for number, port in enumerate(self.inputs):
            if names & set(_names(port)):
                return number
        known = ", ".join(_names(port)[0] for port in self.inputs)
        raise UserError(f"the model has no input {min(map(str, names))}; it has {known}")

    def _fit(self, number: int, value: np.ndarray) -> np.ndarray:
        """Return an input in the type of its port, as OpenVINO converts it."""
        return np.ascontiguousarray(value, self.inputs[number].get_element_type().to_dtype())


class Request:
    """A request; also one that is started and waited for is done at once."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self.results = Results([], {})

    def infer(self, inputs: Any = None) -> Results:
        """Return the outputs, see `Results`."""
        self.results = self._compiled.infer({} if inputs is None else inputs)
        return self.results

    def start_async(self, inputs: Any = None, userdata: Any = None) -> None:
        """Infer, and keep the outputs in ``results``."""
        del userdata
        self.infer(inputs)

    def wait(self) -> None:
        """Do nothing: it is done."""


class Results(dict):
    """Outputs by port; also by name and by number, as OpenVINO's."""

    def __init__(self, ports: list[Any], found: Arrays) -> None:
        super().__init__((port, _of(port, found)) for port in ports)
        self._ports = ports

    def __missing__(self, key: Any) -> np.ndarray:
        if isinstance(key, int):
            return list(self.values())[key]
        names = {key} if isinstance(key, str) else set(_names(key))
        for port, value in self.items():
            if names & set(_names(port)):
                return value
        raise KeyError(key)

    def to_dict(self) -> dict[Any, np.ndarray]:
        """Return the outputs by port."""
        return dict(self)


def _of(port: Any, found: Arrays) -> np.ndarray:
    return next(found[name] for name in _names(port) if name in found)


def _names(port: Any) -> list[str]:
    """Return all names of a port, those of the tensor before that of the node."""
    return [*sorted(port.get_names()), port.get_node().get_friendly_name()]

"""How a model is run over the data: POT's engine, whose methods users replace."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np

from nnrd.core.errors import UserError
from nnrd.pot import batches
from nnrd.pot.interface import Config, DataLoader, Metric
from nnrd.pot.models import CompressedModel
from nnrd.pot.running import Core
from nnrd.quantisation.graphs import open_graph
from nnrd.quantisation.interface import Arrays, Run

logger = logging.getLogger("nnrd.pot")


class Engine(ABC):
    """What a model is run with: configuration (``device``), data, metric."""

    def __init__(
        self,
        config: Mapping[str, Any],
        data_loader: DataLoader | None = None,
        metric: Metric | None = None,
    ) -> None:
        self.config = config if isinstance(config, Config) else Config(config)
        self._data_loader, self._metric = data_loader, metric
        self._stat_requests_number = self.config.get("stat_requests_number")
        self._eval_requests_number = self.config.get("eval_requests_number")
        self.calculate_metrics = True

    @property
    def data_loader(self) -> DataLoader:
        """The data; UserError where there are none."""
        if self._data_loader is None or not len(self._data_loader):
            raise UserError("the engine has no data: give it a data loader with items")
        return self._data_loader

    @property
    def metric(self) -> Metric | None:
        """The metric."""
        return self._metric

    def get_metrics_attributes(self) -> dict[str, dict[str, str]]:
        """Return the attributes of the metric, by name; none without a metric."""
        return self._metric.get_attributes() if self._metric else {}

    @abstractmethod
    def set_model(self, model: CompressedModel) -> None:
        """Take a model, for `predict`."""

    @abstractmethod
    def predict(
        self,
        stats_layout: dict | None = None,
        sampler: Any = None,
        stat_aliases: dict | None = None,
        metric_per_sample: bool = False,
        print_progress: bool = False,
    ) -> tuple[Any, dict]:
        """Run the model over the data and return its metrics, see `IEEngine.predict`."""


class IEEngine(Engine):
    """An engine for OpenVINO's models. The methods that begin with ``_`` are there to be replaced.

    ``_ie`` compiles ``_model`` as OpenVINO's Core does, on the CPU, on one thread and in float32
    where a layer is not quantised. A request at a time is run: `_process_dataset_async` is called
    where POT would call it, and by default does what `_process_dataset` does.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        data_loader: DataLoader | None = None,
        metric: Metric | None = None,
    ) -> None:
        super().__init__(config, data_loader, metric)
        self._device = self.config.get("device") or "CPU"
        if self._device not in ("CPU", "ANY"):
            raise UserError(f"device {self._device}: nnrd.pot runs on CPU")
        self._run: Run | None = None
        self._ie = Core(self._current)
        self._model: Any = None
        self._output_layers: list[str] = []
        self._per_sample_metrics: list[dict[str, Any]] = []

    def set_model(self, model: CompressedModel) -> None:
        """Open a model, float or quantised."""
        self._model = self._ie.read_model(str(model.path))
        self._output_layers = [port.get_any_name() for port in self._model.outputs]
        self._run = open_graph(model.path, precision="float32")

    def try_run(self, run: Run) -> None:
        """Run the model by another `Run` of the same inputs and outputs, until `set_model`."""
        self._run = run

    def record(self, sampler: Any) -> list[Arrays]:
        """Return all that the engine feeds to its model while it processes some data.

        The engine is called as POT called it to collect statistics: with a layout that has
        every output and nothing to compute of it.
        """
        fed: list[Arrays] = []
        run = self._current()

        def recording(feeds: Arrays) -> Arrays:
            fed.append({name: array.copy() for name, array in feeds.items()})
            return run(feeds)

        self._run = recording
        try:
            layout: dict[str, dict] = {name: {} for name in self._output_layers}
            IEEngine.predict(self, stats_layout=layout, sampler=sampler)
        finally:
            self._run = run
        return fed

    def predict(
        self,
        stats_layout: dict | None = None,
        sampler: Any = None,
        stat_aliases: dict | None = None,
        metric_per_sample: bool = False,
        print_progress: bool = False,
    ) -> tuple[Any, dict]:
        """Run the model over ``sampler``'s batches, by default over all data; forget the metric.

        Returns the metric's ``avg_value``, with ``metric_per_sample`` a pair of the values an item
        (``sample_id``, ``metric_name``, ``result``) and it; and statistics, of which there are
        none. Raises UserError: no model was set.
        """
        del stat_aliases
        if self._model is None:
            raise UserError("the engine has no model: call set_model before predict")
        self._reset()
        self._predict(
            stats_layout,
            batches.BatchSampler(self.data_loader) if sampler is None else sampler,
            print_progress,
            metric_per_sample,
        )
        metrics: Any = self._metric.avg_value if self._metric and not stats_layout else None
        if self._metric and metric_per_sample:
            metrics = (sorted(self._per_sample_metrics, key=lambda m: m["sample_id"]), metrics)
        self._reset()
        return metrics, {}

    @staticmethod
    def postprocess_output(outputs: Any, _metadata: Any) -> Any:
        """Return what the metric takes, from outputs by name; by default the list of them."""
        return list(outputs.values())

    def _reset(self) -> None:
        """Forget what was scored."""
        if self._metric:
            self._metric.reset()
        self._per_sample_metrics = []

    def _predict(
        self,
        stats_layout: dict | None,
        sampler: Any,
        print_progress: bool = False,
        need_metrics_per_sample: bool = False,
    ) -> None:
        """Process the data, by one request or by several, as the configuration says."""
        asked = {
            "stats_layout": stats_layout,
            "sampler": sampler,
            "print_progress": print_progress,
            "need_metrics_per_sample": need_metrics_per_sample,
        }
        number = self._get_requests_number(stats_layout)
        if number == 1:
            self._process_dataset(**asked)
        else:
            self._process_dataset_async(**asked, requests_num=number)

    def _get_requests_number(self, stats_layout: dict | None) -> int:
        """Return the requests that the configuration asks for; 0: as many as the device likes."""
        return (self._stat_requests_number if stats_layout else self._eval_requests_number) or 0

    def _process_dataset(
        self,
        stats_layout: dict | None,
        sampler: Any,
        print_progress: bool = False,
        need_metrics_per_sample: bool = False,
    ) -> None:
        """Run the model over batches, and give each one's outputs to the metric."""
        say = logger.info if print_progress else logger.debug
        compiled = self._ie.compile_model(model=self._model, device_name=self._device)
        request = compiled.create_infer_request()
        start = time.time()
        for number, batch in enumerate(sampler):
            annotations, data, metadata = self._process_batch(batch)
            outputs = request.infer(self._fill_input(compiled, data))
            self._process_infer_output(
                stats_layout, outputs, annotations, metadata, need_metrics_per_sample
            )
            if self._print_inference_progress(say, number, len(sampler), start, time.time()):
                start = time.time()

    def _process_dataset_async(
        self,
        stats_layout: dict | None,
        sampler: Any,
        print_progress: bool = False,
        need_metrics_per_sample: bool = False,
        requests_num: int = 0,
    ) -> None:
        """Do as `_process_dataset`: one request at a time, so that what is fed has an order."""
        del requests_num
        self._process_dataset(stats_layout, sampler, print_progress, need_metrics_per_sample)

    @staticmethod
    def _process_batch(batch: Sequence[tuple]) -> tuple[list, list, list]:
        """Return annotations, ``(number, annotation)`` each, data and metadata of a batch."""
        return batches.parted(batch)

    def _fill_input(self, model: Any, image_batch: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return the inputs of the model by name, of the data of a batch."""
        return batches.fill_input(model, image_batch, self.config.get("batch_dim", 0))

    def _process_infer_output(
        self,
        stats_layout: dict | None,
        predictions: Any,
        batch_annotations: Sequence[tuple],
        batch_meta: Sequence[Any],
        need_metrics_per_sample: bool,
    ) -> None:
        """Give the outputs of a batch to the metric."""
        if stats_layout:
            self._collect_statistics(predictions, stats_layout, batch_annotations)
        outputs = {name: predictions[name] for name in self._output_layers}
        output = self.postprocess_output(outputs, batch_meta)
        if batch_annotations:
            self._update_metrics(output, batch_annotations, need_metrics_per_sample)

    def _collect_statistics(
        self, outputs: Any, stats_layout: dict, annotations: Sequence[tuple] | None = None
    ) -> None:
        """Do nothing. POT kept statistics of activations here, of the layers in ``stats_layout``.

        NNCF takes none: it runs the model itself on what the engine fed to it, which is recorded
        when the engine infers. So a layout's functions are not called, activations of layers that
        are no outputs are not to be had, and what an engine leaves out by not calling this is
        calibrated with nevertheless.
        """

    def _update_metrics(
        self, output: Any, annotations: Sequence[tuple], need_metrics_per_sample: bool = False
    ) -> None:
        """Give an output to the metric, where all of the batch have an annotation."""
        targets = [annotation for _, annotation in annotations]
        if not self._metric or any(target is None for target in targets):
            return
        self._metric.update(output, targets)
        if need_metrics_per_sample:
            self._per_sample_metrics += [
                {"sample_id": number, "metric_name": name, "result": values[i]}
                for name, values in self._metric.value.items()
                for i, (number, _) in enumerate(annotations)
            ]

    @staticmethod
    def _print_inference_progress(
        log_fn: Callable, current_id: int, total_dataset_size: int, start: float, finish: float
    ) -> bool:
        """Say each tenth how far it is; return whether it said so."""
        if (current_id + 1) % ceil(total_dataset_size / 10):
            return False
        log_fn("%d/%d batches, %.2f s", current_id + 1, total_dataset_size, finish - start)
        return True

    def _current(self) -> Run:
        if self._run is None:
            raise UserError("the engine has no model: call set_model before it compiles one")
        return self._run

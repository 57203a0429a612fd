"""POT's pipeline: record what the engine feeds, let NNCF quantise, evaluate."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnrd.core.errors import UserError
from nnrd.pot.algorithms import Algorithm, algorithm
from nnrd.pot.batches import BatchSampler
from nnrd.pot.engine import IEEngine
from nnrd.pot.models import CompressedModel
from nnrd.quantisation.backends import REGISTRY
from nnrd.quantisation.interface import Run
from nnrd.quantisation.settings import Settings

logger = logging.getLogger("nnrd.pot")


def create_pipeline(
    algo_config: Sequence[Mapping[str, Any]], engine: IEEngine, interface: str = "API"
) -> Pipeline:
    """Return a pipeline of one algorithm, ``[{"name": …, "params": {…}}]``.

    Raises UserError: another number of algorithms, one that is not here, an engine that is no
    `IEEngine`, AccuracyAwareQuantization without a metric.
    """
    del interface
    if len(algo_config) != 1:
        raise UserError(f"{len(algo_config)} algorithms: a pipeline has one here")
    if not isinstance(engine, IEEngine):
        raise UserError(f"engine {type(engine).__name__}: make it a subclass of IEEngine")
    found = algorithm(algo_config[0])
    if found.controls_accuracy and engine.metric is None:
        raise UserError(f"{found.name}: the engine has no metric")
    return Pipeline(found, engine)


class Pipeline:
    """An algorithm and the engine that it works with."""

    def __init__(self, algo: Algorithm, engine: IEEngine) -> None:
        self.algo_seq = [algo]
        self._engine = engine

    def run(self, model: CompressedModel) -> CompressedModel:
        """Return the quantised model; ``model`` stays as it is.

        Calibrated with all that the engine feeds while it processes the first ``stat_subset_size``
        items of its loader. With accuracy control the whole loader is scored, some times. Raises
        UserError: what the engine or NNCF refuses, a metric that is nan.
        """
        (algo,) = self.algo_seq
        engine, items = self._engine, len(self._engine.data_loader)
        engine.set_model(model)
        count = min(algo.params.get("stat_subset_size", items), items)
        batch = algo.params.get("stat_batch_size", 1)
        samples = engine.record(BatchSampler(engine.data_loader, batch, range(count)))
        if not samples:
            raise UserError(f"the engine ran the model on none of {count} items")
        check = _Validation(engine, algo.metric) if algo.controls_accuracy else None
        baseline = check.baseline() if check else 0.0
        settings = Settings.of(algo.settings(len(samples), baseline))
        made = CompressedModel.made(model.name)
        backend = REGISTRY.get(settings.backend)()
        logger.info("%s: %d inputs of %d items", algo.name, len(samples), count)
        report = backend.quantise(model.path, samples, settings, made.path, check, items)
        made.reverted = report.reverted
        return made

    def evaluate(self, model: CompressedModel) -> dict[str, Any] | None:
        """Return the metrics of a model, float or quantised, over all data; None without one."""
        self._engine.set_model(model)
        return self._engine.predict(print_progress=True)[0]


class _Validation:
    """How good a run of the model is on some items, as NNCF asks: higher is better."""

    def __init__(self, engine: IEEngine, name: str | None) -> None:
        self._engine = engine
        attributes = engine.get_metrics_attributes()
        if name is None and len(attributes) == 1:
            (name,) = attributes
        if name not in attributes:
            reason = f"the engine's metric has {', '.join(attributes)}; name one in `metrics`"
            raise UserError(f"metric {name}: {reason}" if name else reason)
        self._name = name
        self._sign = -1 if attributes[name]["direction"] == "higher-worse" else 1

    def __call__(self, run: Run, items: Sequence[int]) -> tuple[float, list[float] | None]:
        """Return the value over the items, and each one's where the metric has them."""
        self._engine.try_run(run)
        return self._scored(items)

    def baseline(self) -> float:
        """Return the value of the model that the engine has, over all items."""
        return self._scored(range(len(self._engine.data_loader)))[0]

    def _scored(self, items: Sequence[int]) -> tuple[float, list[float] | None]:
        sampler = BatchSampler(self._engine.data_loader, 1, items)
        (rows, metrics), _ = self._engine.predict(sampler=sampler, metric_per_sample=True)
        value = float(np.mean(metrics[self._name]))
        if math.isnan(value):
            raise UserError(f"metric {self._name}: is nan over {len(items)} items")
        each = [self._sign * float(np.mean(row["result"])) for row in self._named(rows)]
        return self._sign * value, each if len(each) == len(items) else None

    def _named(self, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [row for row in rows if row["metric_name"] == self._name]

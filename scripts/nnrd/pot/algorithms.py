"""POT's algorithms and their parameters, as settings of NNCF's; what has no like is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.schema import first_mistake, unknown
from nnrd.pot.interface import Config

DEFAULT, ACCURACY_AWARE = "DefaultQuantization", "AccuracyAwareQuantization"
BACKEND = "nncf_openvino"
_PART = f"it is a part of {DEFAULT}"
_SEARCH = f"{ACCURACY_AWARE} keeps the accuracy instead"
INSTEAD_OF_ALGORITHMS = {
    **dict.fromkeys(
        ("MinMaxQuantization", "ActivationChannelAlignment", "FastBiasCorrection"), _PART
    ),
    **dict.fromkeys(("AccuracyAwareCommon", "TunableQuantization", "RangeOptimization"), _SEARCH),
    **dict.fromkeys(("ParamsGridSearchAlgorithm", "QuantNoiseEstimator"), _SEARCH),
    "DataFreeQuantization": "backend ort_dynamic of int8_ptq needs no data",
}
_OWN_RANGES = "NNCF finds the ranges of activations by itself: leave it out"
INSTEAD_OF_PARAMETERS = {
    "activations": _OWN_RANGES,
    "range_estimator": _OWN_RANGES,
    "model_type": "a transformer is recognised by its graph: leave it out",
    "seed": "the first items of the loader are taken: leave it out",
    "metric_subset_ratio": "the whole loader is scored: leave it out",
    "saturation_fix": "NNCF does it where the processor needs it: leave it out",
    "use_layerwise_tuning": "NNCF tunes no weights: leave it out",
}
# What POT's default does is taken; other values than this have no like.
_FIXED = {
    "use_fast_bias": True,
    "shuffle_data": False,
    "tune_hyperparams": False,
    "convert_to_mixed_preset": False,
    "annotation_free": False,
    "use_prev_if_drop_increase": True,
    "base_algorithm": DEFAULT,
}
_COUNT = {"type": "integer", "minimum": 1}
_STRINGS = {"type": "array", "items": {"type": "string"}}
_IGNORED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "scope": _STRINGS,
        "operations": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["type"],
                "properties": {"type": {"type": "string"}},
            },
        },
    },
}
_WEIGHTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "bits": {"enum": [8]},
        "mode": {"enum": ["symmetric"]},
        "granularity": {"enum": ["perchannel", "pertensor"]},
    },
}
_METRICS = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "type": {"type": "string"}},
    },
}
COMMON: dict[str, Any] = {
    "target_device": {"enum": ["ANY", "CPU"]},
    "preset": {"enum": ["performance", "mixed"]},
    "stat_subset_size": _COUNT,
    "stat_batch_size": _COUNT,
    "ignored": _IGNORED,
    "weights": _WEIGHTS,
    "inplace_statistics": {"type": "boolean"},  # a matter of memory, which does not arise here
}
CONTROL: dict[str, Any] = {
    "maximal_drop": {"type": "number", "minimum": 0},
    "drop_type": {"enum": ["absolute", "relative"]},
    "ranking_subset_size": _COUNT,
    "max_iter_num": _COUNT,
    "metrics": _METRICS,
}


@dataclass(frozen=True)
class Algorithm:
    """An algorithm with its parameters, as POT has them and with POT's defaults."""

    name: str
    params: Config

    @property
    def controls_accuracy(self) -> bool:
        """Whether layers go back to float until the metric is good enough."""
        return self.name == ACCURACY_AWARE

    @property
    def metric(self) -> str | None:
        """The name of the metric that counts, where one is named."""
        named = self.params.get("metrics")
        return named[0]["name"] if named else None

    def settings(self, subset_size: int, baseline: float) -> dict[str, Any]:
        """Return the parameters of `nnrd.quantisation.settings.Settings`.

        ``subset_size``: the recorded inputs; ``baseline``: the metric of the float model, of which
        a relative drop is a part.
        """
        params = self.params
        ignored = params.ignored
        found: dict[str, Any] = {
            "backend": BACKEND,
            "preset": params.get("preset", "performance"),
            "subset_size": subset_size,
            "per_channel": params.weights.get("granularity", "perchannel") == "perchannel",
            "ignored": {
                "names": list(dict.fromkeys(ignored.get("scope", []))),
                "types": list(dict.fromkeys(o["type"] for o in ignored.get("operations", []))),
            },
        }
        if self.controls_accuracy:
            found["accuracy_control"] = self._control(baseline)
        return found

    def _control(self, baseline: float) -> dict[str, Any]:
        drop = self.params.get("maximal_drop", 0.01)
        relative = self.params.get("drop_type") == "relative"
        found = {
            "max_drop": drop * abs(baseline) if relative else drop,
            "ranking_subset_size": self.params.get("ranking_subset_size", 300),
        }
        limit = self.params.get("max_iter_num")
        return found if limit is None else found | {"max_iterations": limit}


def algorithm(given: Mapping[str, Any]) -> Algorithm:
    """Return one algorithm of a pipeline: ``name`` and ``params``.

    Raises UserError, with what stands instead: another algorithm than the two, a parameter or a
    value of one that NNCF has no like of.
    """
    name, params = given.get("name"), given.get("params") or {}
    if name not in (DEFAULT, ACCURACY_AWARE):
        known = unknown("algorithm", name, (DEFAULT, ACCURACY_AWARE))
        instead = INSTEAD_OF_ALGORITHMS.get(str(name))
        raise UserError(f"algorithm {name}: not here; {instead}" if instead else known)
    for key in params:
        if key in INSTEAD_OF_PARAMETERS:
            raise UserError(f"{name}: {key}: {INSTEAD_OF_PARAMETERS[key]}")
    mistake = first_mistake(_schema(name), _plain(params))
    if mistake:
        raise UserError(": ".join(part for part in (name, *mistake) if part))
    return Algorithm(name, Config(params))


def _schema(name: str) -> dict[str, Any]:
    allowed = COMMON | (CONTROL if name == ACCURACY_AWARE else {})
    fixed = {key: {"enum": [value]} for key, value in _FIXED.items()}
    return {"type": "object", "additionalProperties": False, "properties": allowed | fixed}


def _plain(value: Any) -> Any:
    """Return mappings as dict and tuples as lists, as JSON's schema takes them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value

"""What both of NNCF's backends share: the parameters, accuracy control, errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnrd.core.errors import UserError
from nnrd.quantisation import packages
from nnrd.quantisation.graphs import first_line
from nnrd.quantisation.interface import Arrays, Run, Validate

if TYPE_CHECKING:
    import onnx

    from nnrd.quantisation.settings import Settings

PUT_BACK = re.compile(r"(?:were reverted back|Reverted \d+ operations).*precision:")
ALL_PUT_BACK = "All layers have been checked"


def quantised(
    model: Any,
    graph: Path,
    samples: Sequence[Arrays],
    settings: Settings,
    attention: bool,
    validate: Callable[[Any, Iterable[int]], Any] | None,
    items: int,
) -> tuple[Any, tuple[str, ...]]:
    """Return the model that NNCF makes of one, and the layers that it put back to float.

    ``attention``: the graph is a transformer's, of which some layers are left float. ``validate``
    takes what NNCF hands a validation, and items' numbers. Raises UserError where NNCF refuses.
    """
    nncf = packages.load("nncf", f"backend {settings.backend}")
    given = _parameters(nncf, settings, attention)
    data = nncf.Dataset(samples)
    with packages.told() as lines, _one_line(graph, settings.backend):
        if settings.accuracy_control is None or validate is None:
            return nncf.quantize(model, data, **given), ()
        found = nncf.quantize_with_accuracy_control(
            model,
            data,
            nncf.Dataset(range(items)),
            validation_fn=validate,
            max_drop=settings.accuracy_control.max_drop,
            drop_type=nncf.DropType.ABSOLUTE,
            advanced_accuracy_restorer_parameters=_restorer(nncf, settings),
            advanced_quantization_parameters=given.pop("advanced_parameters"),
            **given,
        )
        return found, _put_back(lines)


def _parameters(nncf: Any, settings: Settings, attention: bool) -> dict[str, Any]:
    ignored = settings.ignored
    return {
        "preset": nncf.QuantizationPreset(settings.preset),
        "target_device": nncf.TargetDevice.CPU,
        "subset_size": settings.subset_size,
        "model_type": nncf.ModelType.TRANSFORMER if attention else None,
        # What is not there was refused before; NNCF would also refuse what is there but joined.
        "ignored_scope": nncf.IgnoredScope(
            names=list(ignored.names), types=list(ignored.types), validate=False
        ),
        "advanced_parameters": _advanced(settings.per_channel),
    }


def _advanced(per_channel: bool) -> Any:
    """Return what says whether weights have a scale a channel, as they have by NNCF's default."""
    of = packages.load("nncf.quantization.advanced_parameters")
    weights = None if per_channel else of.QuantizationParameters(per_channel=False)
    return of.AdvancedQuantizationParameters(weights_quantization_params=weights)


def _restorer(nncf: Any, settings: Settings) -> Any:
    control = settings.accuracy_control
    assert control is not None
    limit = {} if control.max_iterations is None else {"max_num_iterations": control.max_iterations}
    return nncf.AdvancedAccuracyRestorerParameters(
        ranking_subset_size=control.ranking_subset_size, num_ranking_workers=1, **limit
    )


def _put_back(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the layers that stayed float, from what NNCF says of each step and in the end.

    Its last word lists them, unless there was nothing left to put back: then it was every one.
    """
    said = [line for line in lines if PUT_BACK.search(line)]
    if not any(line.startswith(ALL_PUT_BACK) for line in lines):
        said = said[-1:]
    names = (name.strip() for line in said for name in line.splitlines()[1:])
    return tuple(dict.fromkeys(filter(None, names)))


def has_attention(model: onnx.ModelProto) -> bool:
    """Say whether a graph multiplies by what comes out of a softmax, as transformers do."""
    soft = {out for n in model.graph.node if n.op_type == "Softmax" for out in n.output}
    return any(soft & {*n.input} for n in model.graph.node if n.op_type == "MatMul")


def validation(validate: Validate, run: Callable[[Any], Run]) -> Callable[[Any, Any], Any]:
    """Return a validation as NNCF calls it; ``run`` makes of its model what runs it."""

    def found(model: Any, items: Iterable[int]) -> tuple[float, list[float] | None]:
        return validate(run(model), list(items))

    return found


@contextmanager
def _one_line(graph: Path, backend: str) -> Iterator[None]:
    try:
        yield
    except (UserError, OSError, MemoryError):
        raise
    except Exception as error:  # NNCF's own share a base only in part, OpenVINO's are RuntimeError
        raise UserError(f"{graph}: {backend} cannot quantise it: {first_line(error)}") from error

"""The quantisation parameters that several codecs share."""

from collections.abc import Mapping
from typing import Any

from nnrd import nnc

# The widest range, of qp_density 7; mistake_in_qp narrows it to that of the density given.
QP = {"type": "integer", "minimum": -4096, "maximum": 4095}
QP_PROPERTIES: dict[str, dict[str, Any]] = {
    "qp": QP | {"description": "quantisation parameter of tensors of two dimensions or more"},
    "nonweight_qp": QP | {"description": "quantisation parameter of tensors of one dimension"},
    "qp_density": {
        "type": "integer",
        "minimum": 0,
        "maximum": 7,
        "description": "the step size doubles every 2**qp_density of qp",
    },
    "qp_per_tensor": {
        "type": "object",
        "additionalProperties": QP,
        "description": "quantisation parameter by tensor name, before qp and nonweight_qp",
    },
}
OPT_QP = {
    "opt_qp": {
        "type": "boolean",
        "description": "qp by tensor, from its share of the values and its deviation",
    }
}


def mistake_in_qp(parameters: Mapping[str, Any], finer: bool = False) -> str | None:
    """Return what is wrong with a qp at the density given, or None.

    ``finer``: an octave below each qp is needed too, as for codebooks where DQ is asked for.
    """
    density = parameters.get("qp_density", nnc.Options.qp_density)
    low, high = nnc.qp_range(density)
    low += finer << density
    why = ", with a codebook and DQ" if finer else ""
    given = [(key, parameters[key]) for key in ("qp", "nonweight_qp") if key in parameters]
    given += [(f"qp_per_tensor.{k}", v) for k, v in parameters.get("qp_per_tensor", {}).items()]
    for key, qp in given:
        if not low <= qp <= high:
            return f"{key}: {qp} is outside {low}…{high}, the range at qp_density {density}{why}"
    return None

"""What a row says of the network, in its column ``options``."""

from collections.abc import Mapping
from typing import Any

from nnrd.core.schema import with_defaults

WIDTH = 2048  # units of each hidden layer, as DeepSpeech 0.8.2 has them
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "width": {"type": "integer", "minimum": 1, "maximum": 8192, "default": WIDTH},
    },
}


def width(options: Mapping[str, Any]) -> int:
    """Return the units of each hidden layer, from a row's options, which fit `OPTIONS`."""
    return with_defaults(OPTIONS, dict(options))["width"]

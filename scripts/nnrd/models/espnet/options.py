"""What a row says of the decoding, in its column ``options``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnrd.core.schema import with_defaults
from nnrd.models.family import BEHIND

OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "ctc_weight": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.3, BEHIND: True},
        "beam": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 5, BEHIND: True},
        "output_length": {"type": "integer", "minimum": 1, "maximum": 10000, BEHIND: True},
    },
}


@dataclass(frozen=True)
class Decoding:
    """How states become tokens.

    ``ctc_weight``: of CTC's score of a prefix; the rest is of the decoder's. ``beam``: prefixes
    that are kept. ``output_length``: tokens, whatever they are; None: up to the end of a sentence.
    """

    ctc_weight: float
    beam: int
    output_length: int | None = None


def decoding(options: Mapping[str, Any]) -> Decoding:
    """Return what a row's options, which fit `OPTIONS`, say."""
    return Decoding(**with_defaults(OPTIONS, dict(options)))

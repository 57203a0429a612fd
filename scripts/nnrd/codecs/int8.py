"""Codec ``int8``: `intn` with 8 bits a value."""

from typing import ClassVar

from nnrd.codecs import intn


class Codec(intn.Codec):
    """Uniform, symmetric: level · max |value| ÷ 127, per tensor or per channel."""

    properties: ClassVar = {key: intn.Codec.properties[key] for key in ("per_channel", "axis")}
    required: ClassVar[tuple[str, ...]] = ()

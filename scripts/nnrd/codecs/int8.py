"""Codec ``int8``: `intn` with 8 bits a value."""

from typing import ClassVar

from nnrd.codecs import intn


class Codec(intn.Codec):
    """Uniform, symmetric: level · max |value| ÷ 127, per tensor or per channel."""

    properties: ClassVar = {"per_channel": intn.Codec.properties["per_channel"]}
    required: ClassVar[tuple[str, ...]] = ()

"""Codecs by name: ``make("nnc", qp=-38).encode(tensors)``.

Other packages publish theirs, subclasses of `Codec`, as entry points of the group
``nnrd.codecs``. A codec's module is imported when the codec is asked for, and its coder at the
first encode.
"""

from typing import Any

from nnrd.codecs.base import Codec, cut
from nnrd.codecs.container import CODED_FLOAT, CODED_INT, Entry
from nnrd.codecs.torch_tensors import to_torch
from nnrd.core.errors import UserError
from nnrd.core.registry import Registry
from nnrd.core.schema import first_mistake

__all__ = [
    "CODED_FLOAT",
    "CODED_INT",
    "REGISTRY",
    "Codec",
    "Entry",
    "available",
    "check",
    "cut",
    "make",
    "parameter_schema",
    "to_torch",
]
REGISTRY: Registry[type[Codec]] = Registry(
    "nnrd.codecs",
    "codec",
    {
        name: f"nnrd.codecs.{name}:Codec"
        for name in (
            *("raw", "float16", "bfloat16", "int8", "intn"),
            *("nnc", "zstd", "bzip2", "huffman", "entropy"),
        )
    },
    of="nnrd.codecs.base:Codec",
)


def available() -> list[str]:
    """Return the names of all codecs, sorted."""
    return REGISTRY.names()


def make(name: str, **parameters: Any) -> Codec:
    """Return a codec at an operating point; UserError as in `check`."""
    check(name, parameters)
    return REGISTRY.get(name)(name, **parameters)


def check(name: str, parameters: dict[str, Any]) -> None:
    """Raise UserError, one line, for an unknown codec or parameters that it does not take."""
    codec = REGISTRY.get(name)
    mistake = first_mistake(codec.schema(), parameters) or codec.validate(parameters)
    if isinstance(mistake, tuple):
        mistake = ": ".join(part for part in mistake if part)
    if mistake:
        raise UserError(f"codec {name}: {mistake}")


def parameter_schema(name: str) -> dict[str, Any]:
    """Return the JSON schema of a codec's parameters; UserError for an unknown codec."""
    return REGISTRY.get(name).schema()

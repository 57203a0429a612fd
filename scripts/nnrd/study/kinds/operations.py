"""Lists of names with parameters, such as a study's codecs: every combination, checked."""

import json
import math
from collections.abc import Iterator
from typing import Any

from nnrd import codecs
from nnrd.codecs import encoder_file
from nnrd.core.errors import UserError
from nnrd.core.registry import Registry
from nnrd.core.schema import unknown
from nnrd.study.kinds.base import Context
from nnrd.study.points import Operation, combinations

MAX_POINTS = 10_000  # operating points of one entry of a list


def operating_points(context: Context, key: str, given: list[Any]) -> list[Operation]:
    """Return every operating point of a study's list of codecs; each may be given once."""
    found: dict[str, Operation] = {}
    for where, name, values in _entries(context, key, given, codecs.REGISTRY):
        read = _with_file(context, f"{where}.{name}", name, values)
        for parameters in combinations(_lists(context, f"{where}.{name}", read)):
            _check_codec(context, f"{where}.{name}", name, parameters)
            codec = codecs.REGISTRY.get(name)
            operation = Operation(name, parameters, codec.decodable, codec.lossless)
            _add(context, where, found, operation)
    return list(found.values())


def operations(
    context: Context, key: str, given: list[Any], registry: Registry[Any]
) -> list[Operation]:
    """Return every combination of a list of names with parameters; each may be given once."""
    found: dict[str, Operation] = {}
    for where, name, values in _entries(context, key, given, registry):
        for parameters in combinations(_lists(context, f"{where}.{name}", values)):
            _add(context, where, found, Operation(name, parameters))
    return list(found.values())


def _entries(
    context: Context, key: str, given: list[Any], registry: Registry[Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the key of each entry of a list, its name, which is known, and its parameters."""
    for i, entry in enumerate(given):
        name, values = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
        if name not in registry.names():
            context.fail(f"{key}[{i}]", unknown(registry.word, name, registry.names()))
        if not isinstance(values, dict):
            context.fail(f"{key}[{i}].{name}", f"{values!r} is not a mapping of parameters")
        yield f"{key}[{i}]", name, values


def _lists(context: Context, key: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return parameters whose lists have something in them, and not too many combinations."""
    for name, value in values.items():
        if value == []:
            context.fail(f"{key}.{name}", "the list is empty: there is nothing to make")
    count = math.prod(len(value) for value in values.values() if isinstance(value, list))
    if count > MAX_POINTS:
        context.fail(key, f"{count} combinations, more than {MAX_POINTS}")
    return values


def _add(context: Context, key: str, found: dict[str, Operation], operation: Operation) -> None:
    for name, value in operation.parameters.items():
        try:
            json.dumps(value)
        except TypeError:
            context.fail(f"{key}.{operation.name}.{name}", f"{value!r} is no JSON value")
    if operation.id in found:
        context.fail(key, f"{operation.label} is given twice")
    found[operation.id] = operation


def _with_file(context: Context, key: str, codec: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with those of an encoder configuration file below them."""
    if codec != encoder_file.CODEC or encoder_file.KEY not in values:
        return values
    try:
        read = encoder_file.read(context.places.file(str(values[encoder_file.KEY])))
    except UserError as error:
        context.fail(f"{key}.{encoder_file.KEY}", str(error))
    return read | {name: v for name, v in values.items() if name != encoder_file.KEY}


def _check_codec(context: Context, key: str, codec: str, parameters: dict[str, Any]) -> None:
    try:
        codecs.check(codec, parameters)
    except UserError as error:
        context.fail(key, str(error).removeprefix(f"codec {codec}: "))

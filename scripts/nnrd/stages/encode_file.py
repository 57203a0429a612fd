"""Compress the tensors in a file (.safetensors, .npz) with a codec; names travel with them."""

import argparse
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from nnrd import codecs, tensor_files
from nnrd.core import bundles
from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.core.options import json_object
from nnrd.core.written import json_once

PREFIX = "parameter:"  # of the codecs' parameters among the options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options, those of every codec's parameters among them."""
    parser.add_argument("file", type=Path, help="the tensors, .safetensors or .npz")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the bitstream to write")
    names = ", ".join(codecs.available())
    parser.add_argument("--codec", required=True, metavar="NAME", help=names)
    same = "the same as a JSON object"
    parser.add_argument("--parameters", type=json_object, default={}, help=same)
    parser.add_argument("--no-names", action="store_true", help="leave the tensors' names out")
    parser.add_argument("--workers", type=int, default=1, help="threads or processes (default 1)")
    _add_parameters(parser)


def main(args: argparse.Namespace) -> None:
    """Write the bitstream, and say how long it is."""
    codec = codecs.make(args.codec, **args.parameters | dict(_given(args)))
    tensors = tensor_files.read(args.file)
    blob = codec.encode(tensors, names=not args.no_names, workers=args.workers)
    with complete_file(args.out) as temporary:
        temporary.write_bytes(blob)
    size = bundles.size(tensors)
    share = f" ({len(blob) / size:.2%})" if size else ""
    print(f"{len(tensors)} tensors, {size} -> {len(blob)} bytes{share}")


def _add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add an option a parameter; its value is checked by the codec that is asked for."""
    group = parser.add_argument_group("parameters of the codecs")
    for name, (rule, users) in _parameters().items():
        option = f"--{name.replace('_', '-')}"
        words = f"{rule.get('description', '')} ({', '.join(users)})".replace("%", "%%")
        how: dict[str, Any] = {"type": _value, "metavar": _metavar(rule)}
        if rule.get("type") == "boolean":
            how = {"action": argparse.BooleanOptionalAction}
        how |= {"dest": PREFIX + name, "default": argparse.SUPPRESS, "help": words}
        with suppress(argparse.ArgumentError):  # --out is taken; then --parameters takes it
            group.add_argument(option, **how)


def _parameters() -> dict[str, tuple[dict[str, Any], list[str]]]:
    """Return the schema of each parameter, and the codecs that take it."""
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for codec in codecs.available():
        try:
            schema = codecs.parameter_schema(codec)
        except UserError:
            continue  # it says so when it is asked for
        for name, rule in schema["properties"].items():
            found.setdefault(name, (rule, []))[1].append(codec)
    return found


def _metavar(rule: dict[str, Any]) -> str:
    if "enum" in rule:
        return "|".join(map(str, rule["enum"]))
    return {"integer": "N", "number": "X", "object": "JSON"}.get(str(rule.get("type")), "VALUE")


def _given(args: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    for name, value in vars(args).items():
        if name.startswith(PREFIX):
            yield name.removeprefix(PREFIX), value


def _value(text: str) -> Any:
    try:
        return json_once(text)
    except ValueError:
        return text

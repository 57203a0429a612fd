"""Say what a bitstream holds: its codec, parameters and tensors; its checksum is verified."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nnrd.codecs import container
from nnrd.core.errors import BitstreamError

MODES = {
    container.CODED_FLOAT: "coded as float32",
    container.CODED_INT: "coded as int32",
    container.STORED: "stored",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", type=Path, help="the bitstream")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(args: argparse.Namespace) -> None:
    """Print it; UserError where the file is no whole, unaltered bitstream."""
    try:
        found = describe(args.file.read_bytes())
    except BitstreamError as error:
        raise BitstreamError(f"{args.file}: {error}") from None
    print(json.dumps(found, indent=1) if args.json else "\n".join(_lines(found)))


def describe(blob: bytes) -> dict[str, Any]:
    """Return what a bitstream holds, without decoding it; sizes are in bytes."""
    found = container.read(blob)
    names: Sequence[str | None] = found.names or [None] * len(found.entries)
    rows = [
        {
            "name": name,
            "dtype": str(entry.dtype),
            "shape": list(entry.shape),
            "mode": MODES[entry.mode],
            "exceptions": entry.exceptions,
            "bytes": entry.nbytes,
        }
        for name, entry in zip(names, found.entries, strict=True)
    ]
    return {
        "codec": found.codec,
        "parameters": found.parameters,
        "identity": found.identity.hex() or None,
        "checksum": "ok",  # else reading it would have failed
        "bytes": len(blob),
        "payload_bytes": len(found.payload),
        "tensor_bytes": sum(entry.nbytes for entry in found.entries),
        "tensors": rows,
    }


def _lines(found: dict[str, Any]) -> Iterator[str]:
    share = f" ({found['bytes'] / found['tensor_bytes']:.2%})" if found["tensor_bytes"] else ""
    yield f"codec       {found['codec']} {json.dumps(found['parameters'])}"
    yield f"identity    {found['identity'] or 'none'}"
    yield f"checksum    {found['checksum']}"
    yield f"bytes       {found['bytes']:,} for {found['tensor_bytes']:,} of tensors{share}"
    yield f"payload     {found['payload_bytes']:,} bytes"
    yield f"tensors     {len(found['tensors'])}"
    for number, row in enumerate(found["tensors"]):
        name = f"({number})" if row["name"] is None else row["name"]
        shape = "×".join(map(str, row["shape"])) or "scalar"
        more = f", {row['exceptions']} values exact" if row["exceptions"] else ""
        yield f"  {name}: {row['dtype']} {shape}, {row['bytes']:,} bytes, {row['mode']}{more}"

"""Put what was measured of a study's models into its two tables: profile and parameters."""

import argparse
from pathlib import Path
from typing import Any

from nnrd.core import lineage
from nnrd.core.files import complete_file, read_json, read_record
from nnrd.report.profile import table
from nnrd.stages import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    points = "JSON file: the study, its parts, published numbers, its points with their records"
    parser.add_argument("--points", type=Path, required=True, help=points)
    parser.add_argument("--profile", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--parameters", type=Path, required=True, help="CSV file to write")
    arguments.add_sums(parser)


def main(args: argparse.Namespace) -> None:
    """Write both tables as CSV."""
    given = read_json(args.points)
    rows = [_row(given["study"], point) for point in given["points"]]
    parts = _parts(given)
    sizes = {(row["model"], row["part"]): row for row in parts}
    for row in rows:
        whole = sizes[row["network"], table.ALL]
        row |= {"parameters": whole["parameters"], "weight_bytes": whole["bytes"]}
    rows = table.with_macs(rows)
    table.with_published(rows, parts, given["published"])
    files = dict.fromkeys(Path(file) for point in given["points"] for file in _files(point))
    files |= dict.fromkeys([Path(given["published"])] if given["published"] else [])
    for found, path in ((rows, args.profile), (parts, args.parameters)):
        with complete_file(path) as temporary:
            table.write(table.frame(found), temporary)
        if args.sums:
            lineage.write_beside(path, files)


def _row(study: str, point: dict[str, Any]) -> dict[str, Any]:
    scored = point.get("accuracy")
    row = table.profile_row(study, point["label"], read_record(point["measured"]))
    return row | table.accuracy(read_record(scored) if scored else None)


def _parts(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of each network, once."""
    files = {point["label"]["network"]: point["counted"] for point in given["points"]}
    return [
        row
        for model, file in files.items()
        for row in table.parameter_rows(
            given["study"], model, read_record(file)["parts"], given["parts"]
        )
    ]


def _files(point: dict[str, Any]) -> list[str]:
    return [point[name] for name in ("measured", "counted", "accuracy") if name in point]

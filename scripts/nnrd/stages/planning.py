"""Options of the programs that look at a whole configuration; no job of a run takes them."""

import argparse
import hashlib
import json
from pathlib import Path

from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.models import Family, ModelRow
from nnrd.models.family import WHOLE
from nnrd.study import config, origins
from nnrd.study.config import Settings
from nnrd.study.sheets import Sheets
from nnrd.study.source_hash import source_hash

SHIPPED = Path("config/config.yaml")
EXPORT = "nnrd.stages.convert_model"
GRAPH_EXPORT = "nnrd.stages.convert_graph"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the configuration, and the folder that it is about."""
    files = f"YAML files, merged over {SHIPPED} as Snakemake does"
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help=files)
    parser.add_argument("--run", type=json.loads, help="names of studies as JSON; else the file's")
    parser.add_argument("--folder", type=Path, default=Path(), help="the checkout")


def settings(args: argparse.Namespace) -> Settings:
    """Return the configuration that the options name; UserError as in `nnrd.study.config.load`."""
    shipped = args.folder / SHIPPED
    files = [*([shipped] if shipped.is_file() else []), *args.configfile]
    given = origins.read(files, {"run": args.run} if args.run else None)
    return config.load(origins.merged(given), given, args.folder)


def export_key(model: ModelRow, family: Family, assets: Path | None, graph: str = WHOLE) -> str:
    """Return what an export of a model depends on: its row, its files, the code, as a hash.

    ``graph``: which one of a model that consists of several.
    """
    stage, exporter = EXPORT, family.exporter
    if graph != WHOLE:
        stage, exporter = GRAPH_EXPORT, family.graph_exporter
    code = source_hash(stage, *([exporter] if exporter else []))
    files = lineage.below(assets) if assets else {}
    made_of = [family.graph_row(model).columns, graph, files, code]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]


def sheets(args: argparse.Namespace) -> Sheets:
    """Return the rows of the sheets that the options name, whatever the studies are."""
    shipped = args.folder / SHIPPED
    if not shipped.is_file():
        raise UserError(f"{shipped}: no such file; --folder says where nnrd's checkout is")
    given = origins.read([shipped, *args.configfile])
    return config.read_sheets(origins.merged(given), given, args.folder)

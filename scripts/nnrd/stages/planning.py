"""Options of the programs that look at a whole configuration; no job of a run takes them."""

import argparse
import json
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.study import config, origins
from nnrd.study.config import Settings
from nnrd.study.sheets import Sheets

SHIPPED = Path("config/config.yaml")


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


def sheets(args: argparse.Namespace) -> Sheets:
    """Return the rows of the sheets that the options name, whatever the studies are."""
    shipped = args.folder / SHIPPED
    if not shipped.is_file():
        raise UserError(f"{shipped}: no such file; --folder says where nnrd's checkout is")
    given = origins.read([shipped, *args.configfile])
    return config.read_sheets(origins.merged(given), given, args.folder)

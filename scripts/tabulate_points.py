"""Put a study's records into its two tables: points and items."""

import argparse
from pathlib import Path

from nnrd import program, tables


def main(args: argparse.Namespace) -> None:
    """Write both tables as CSV."""
    records = [(args.study, program.read_json(file)) for file in args.records]
    for path, table in ((args.points, tables.points), (args.items, tables.item_table)):
        with program.complete_file(path) as temporary:
            table(records).to_csv(temporary, index=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", required=True, help="the study's name")
    parser.add_argument("--records", type=Path, nargs="+", required=True, help="point.json files")
    parser.add_argument("--points", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--items", type=Path, required=True, help="CSV file to write")
    program.run(main, parser)

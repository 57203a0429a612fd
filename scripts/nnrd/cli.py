"""The command ``nnrd``: codecs, splits and scores by hand, a subcommand a stage."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import cast

from nnrd import __version__
from nnrd.core import program

# Subcommand: stage, what it does. A stage is imported when it is called, with all that it needs.
COMMANDS = {
    "encode": ("encode_file", "compress the tensors in a file"),
    "decode": ("decode_file", "write the tensors of a bitstream into a file"),
    "info": ("describe_bitstream", "say what a bitstream holds"),
    "split": ("split_model", "split an ONNX model in two"),
    "tabulate": ("tabulate_splits", "tabulate what crosses each split of an ONNX model"),
    "compare": ("compare_splits", "set published tables of splits beside measured ones"),
    "infer": ("infer_source", "run a detector on an image, a folder or a video"),
    "quantise": ("quantise_by_hand", "quantise a model to INT8 and evaluate it"),
    "draw": ("draw_detections", "draw boxes over an image, a folder or a video"),
    "score": ("score_predictions", "score predictions with a task's metrics"),
    "select": ("select_images", "list the images on which a detector is perfect"),
    "advise": ("advise", "say which split and codec is the fastest within a loss, at a rate"),
    "describe-asset": ("describe_asset", "make the rows of the sheet of assets for a source"),
    "recover": ("recover_run", "put right what a killed run left behind"),
    "estimate": ("estimate_cost", "say what a run of the workflow will cost"),
    "check": ("check_results", "say which results are whole, damaged or missing; repair them"),
    "prune": ("prune_results", "list or delete results that no study declares"),
    "summarise": ("summarise_benchmarks", "say where the time of the last run went"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the subcommand that the command line names; exit codes as in `program.run`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] not in COMMANDS:
        parser().parse_args(given or ["--help"])
        return
    with program.one_line_errors():
        stage = cast(program.Stage, import_module(f"nnrd.stages.{COMMANDS[given[0]][0]}"))
        program.run(stage, given[1:], f"nnrd {given[0]}")


def parser() -> argparse.ArgumentParser:
    """Return the command line without the options of the subcommands."""
    found = argparse.ArgumentParser(
        prog="nnrd", description=__doc__, epilog="nnrd COMMAND --help explains a command."
    )
    found.add_argument("--version", action="version", version=f"nnrd {__version__}")
    commands = found.add_subparsers(metavar="COMMAND", required=True)
    for name, (_, words) in COMMANDS.items():
        commands.add_parser(name, help=words, add_help=False)
    return found


if __name__ == "__main__":
    main()

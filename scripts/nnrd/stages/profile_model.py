"""Measure what one run of a model costs: time of its steps, memory, energy."""

import argparse
import os
from pathlib import Path
from typing import Any

from nnrd.core import lineage
from nnrd.core.files import write_record
from nnrd.core.progress import Count
from nnrd.models.pipeline import Pipeline, Run
from nnrd.profile import memory
from nnrd.profile.measure import Power, Protocol, Step, measure
from nnrd.runtime.cuda import CPU, CUDA
from nnrd.runtime.environment import made_by
from nnrd.stages import arguments, profile_runs, steps

MEASURED, NOT_MEASURED = "measured", "not measured"
FORWARD, DECODING = "forward", "decoding"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_model(parser)
    names = list(profile_runs.TARGETS)
    parser.add_argument("--runtime", choices=names, required=True, help="what runs the model")
    words = "mixed: torch's autocast; default: what OpenVINO chooses"
    parser.add_argument(
        "--precision", choices=("float32", "mixed", "default"), default="float32", help=words
    )
    parser.add_argument("--device", choices=(CPU, CUDA), default=CPU, help="what it runs on")
    graphs = "of a runtime without PyTorch: the graphs, in the order of the family's"
    parser.add_argument("--graphs", type=Path, nargs="+", default=[], help=graphs)
    parser.add_argument("--facts", type=Path, nargs="+", default=[], help="the facts of each")
    _add_measurement(parser)
    arguments.add_timing(parser)
    arguments.add_tf32(parser)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def _add_measurement(parser: argparse.ArgumentParser) -> None:
    size = "of an input, where the model takes several: frames of 10 ms"
    parser.add_argument("--size", type=int, help=size)
    seconds = "how long an input is that is a recording, for the real-time factor"
    parser.add_argument("--seconds", type=float, help=seconds)
    parser.add_argument("--batch", type=int, default=1, help="inputs that are run at once")
    parser.add_argument("--warm-up", type=int, default=10, help="runs that are not timed")
    parser.add_argument("--samples", type=int, default=100, help="runs of a repeat")
    parser.add_argument("--repeats", type=int, default=5, help="how often samples are taken")
    power = "seconds that it runs while its watts are read, where there is a counter"
    parser.add_argument("--power-seconds", type=float, default=60.0, help=power)
    parser.add_argument("--tdp-watts", type=float, help="watts that energy is estimated by")


def main(args: argparse.Namespace) -> None:
    """Write what was measured, or why the point does not fit in memory."""
    arguments.verify_assets(args)
    if args.device == CPU:  # PyTorch takes a GPU that it sees
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    args.transform = None
    pipeline, run, ran = profile_runs.of(args).opened()
    try:
        found = {"status": MEASURED, "reason": None} | _measured(args, pipeline, run)
    except memory.DoesNotFitError as error:
        found = {"status": NOT_MEASURED, "reason": str(error)}
        steps.say(f"not measured: {error}")
    how = {"isolated": args.isolated, "made": {"profiled": [made_by() | ran]}} | ran
    read = [*args.facts, *steps.fetched(args)]
    write_record(args.out, found | how | lineage.of([], read))


def _measured(args: argparse.Namespace, pipeline: Pipeline, run: Run) -> dict[str, Any]:
    """Return the record of a point; `nnrd.profile.memory.DoesNotFitError` where it does not fit."""
    pipeline.check_example(args.size, args.batch)
    item, what = pipeline.example_item(args.size), args.model.model
    with memory.fits(what):
        feeds = pipeline.example(args.size, args.batch)
        if args.batch > 1:
            memory.check(_memory_of_one(args, pipeline, run), args.batch, what)
    count = Count("runs")
    found = measure(
        [
            Step(FORWARD, lambda given: pipeline.infer(run, given)),
            Step(DECODING, lambda outputs: pipeline.postprocess_batch(outputs, item, args.batch)),
        ],
        feeds,
        Protocol(args.warm_up, args.samples, args.repeats),
        power=Power(args.power_seconds, tdp_watts=args.tdp_watts),
        threads=args.threads,
        input_seconds=args.seconds and args.seconds * args.batch,
        what=what,
        progress=count.more,
    )
    with memory.fits(what):
        return found | {"macs": profile_runs.of(args).macs(pipeline, run, feeds)}


def _memory_of_one(args: argparse.Namespace, pipeline: Pipeline, run: Run) -> int:
    """Return the bytes that each input of a batch takes."""
    return memory.growth(lambda batch: pipeline.infer(run, pipeline.example(args.size, batch)))

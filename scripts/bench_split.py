"""Time and memory of splitting a model, beside onnx.utils.extract_model at the same ranks.

Each line is measured in a process of its own, so its peak memory is its own; beside it stands
that of a process that imports the same and does nothing.
"""

import argparse
import multiprocessing
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx

from nnrd import split
from nnrd.core import program
from nnrd.core.options import named_shape
from nnrd.runtime import sessions as inference
from nnrd.split import feeding
from nnrd.split.measuring import Meter
from nnrd.split.sizes import table  # also imports pandas, as every line's process does


def nothing(path: Path, plan: split.Plan | None, folder: Path) -> float:
    """Do nothing: the memory of the imports alone."""
    return 0.0


def tabulated(path: Path, plan: split.Plan | None, folder: Path) -> float:
    """Load the model and tabulate all ranks; return the seconds of the table alone."""
    model = split.load(path)
    begin = time.perf_counter()
    table(model)
    return time.perf_counter() - begin


def extracted(path: Path, plan: split.Plan, folder: Path) -> float:
    """Cut a loaded model and extract both parts; return the seconds of that alone."""
    model = split.load(path)
    begin = time.perf_counter()
    split.extract(model, split.cut(model, plan.rank))
    return time.perf_counter() - begin


def saved(path: Path, plan: split.Plan, folder: Path) -> float:
    """Load the model, extract both parts and write them."""
    begin = time.perf_counter()
    model = split.load(path)
    for index, part in enumerate(split.extract(model, split.cut(model, plan.rank))):
        split.save(part, folder / f"{index}.onnx", folder=path.parent)
    return time.perf_counter() - begin


def by_onnx(path: Path, plan: split.Plan, folder: Path) -> float:
    """Let onnx.utils.extract_model read the model and write both parts, as the TR did."""
    graph = split.Graph(split.load(path))
    begin = time.perf_counter()
    sent = [name for name in plan.plain_crossing if name not in graph.inputs]
    onnx.utils.extract_model(str(path), str(folder / "0.onnx"), graph.inputs, sent)
    given = list(plan.plain_crossing)
    onnx.utils.extract_model(str(path), str(folder / "1.onnx"), given, graph.outputs)
    return time.perf_counter() - begin


def ran(path: Path, feeds: dict[str, np.ndarray], folder: Path) -> float:
    """Run the model."""
    session = inference.session(path)
    begin = time.perf_counter()
    inference.run(session, feeds)
    return time.perf_counter() - begin


def metered(path: Path, feeds: dict[str, np.ndarray], folder: Path) -> float:
    """Run the model so that it measures the size of every tensor."""
    meter = Meter(split.load(path), folder=path.parent)
    begin = time.perf_counter()
    meter(feeds)
    return time.perf_counter() - begin


def measured(
    action: Callable, path: Path, given: split.Plan | dict | None
) -> tuple[float | None, float, str]:
    """Return the seconds, the peak memory in MB (10⁶ bytes) and the error of an action."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, action, path, given))
    process.start()
    theirs.close()
    answer = ours.recv()
    process.join()
    return answer


def _child(pipe, action: Callable, path: Path, given: split.Plan | dict | None) -> None:
    seconds, problem = None, ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            seconds = action(path, given, Path(folder))
        except Exception as error:  # what it raises is the result
            problem = f"fails: {type(error).__name__}: {' '.join(str(error).split())[:60]}"
    pipe.send((seconds, peak_memory(), problem))


def peak_memory() -> float:
    """Return this process's peak resident memory in MB (10⁶ bytes); needs Linux.

    getrusage's ru_maxrss would not do: a new process inherits its parent's.
    """
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6


def main(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    path = arguments.model
    graph = split.Graph(split.load(path))
    size, count = path.stat().st_size / 1e6, len(graph.nodes)
    idle = measured(nothing, path, None)[1]
    print(f"{path.name}: {count} nodes, {size:.0f} MB; the imports alone take {idle:.0f} MB")
    tabling = report("table of all ranks", idle, size, measured(tabulated, path, None))
    if arguments.shape:
        feeds = feeding.random(graph.model, dict(map(named_shape, arguments.shape)))
        report("a run", idle, size, measured(ran, path, feeds))
        report("a run that measures all tensors", idle, size, measured(metered, path, feeds))
    times = {action: [] for action in (extracted, saved, by_onnx)}
    for rank in arguments.ranks:
        plan = split.cut(graph, rank)
        for action, label in (
            (extracted, "cut and extract"),
            (saved, "load, cut, extract, save"),
            (by_onnx, "onnx.utils.extract_model"),
        ):
            answer = measured(action, path, plan)
            times[action].append(report(f"rank {rank}: {label}", idle, size, answer))
    summarise(times[saved], times[by_onnx], tabling, count - 1)


def report(label: str, idle: float, size: float, answer: tuple) -> float:
    """Print one line; return its seconds, NaN where it failed."""
    seconds, peak, problem = answer
    memory = f"{peak:5.0f} MB peak, {(peak - idle) / size:.2f} × the file beyond the imports"
    print(f"{label:40} {'' if problem else f'{seconds:6.2f} s'} {problem or memory}", flush=True)
    return float("nan") if seconds is None else seconds


def summarise(ours: list[float], theirs: list[float], tabling: float, splits: int) -> None:
    """Print the ratios where both succeeded."""
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if not np.isnan(b)]
    if both:
        mean = np.mean(both, axis=0)
        print(f"a split: {mean[1] / mean[0]:.1f} times faster ({mean[0]:.2f} s, {mean[1]:.2f} s)")
        whole = mean[1] * splits
        print(f"the table: {whole / tabling:,.0f} times faster than {splits} such splits")
        print(f"  ({tabling:.2f} s; {whole:,.0f} s by the mean of {len(both)} ranks)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", type=Path)
    parser.add_argument("--ranks", type=int, nargs="+", default=[100, 300, 800, 1500, 2200])
    shape_help = "run the model too, on a random input of this shape"
    parser.add_argument("--shape", nargs="+", default=[], metavar="NAME=1,3,…", help=shape_help)


if __name__ == "__main__":
    program.run(sys.modules[__name__])

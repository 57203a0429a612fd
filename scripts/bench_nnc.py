"""Measure nnrd.nnc against nncodec.nnc.compress and decompress; the table comes last.

Each row compares two ways, run in turn (A B A B …) in one process order, and prints the median
of each, of the pairs' ratios and of the ratios of their CPU time, which tells more where others
use the machine. Streams are compared byte for byte on the way. Two
independent processes are timed as well: what they reach together is what two workers can reach.
Peak memory and imports are measured in fresh processes. One compute thread everywhere.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from nnrd import nnc
from nnrd.core import program
from nnrd.nnc import coder

Tensors = dict[str, np.ndarray]
ROW = "{:<58} {:>8} {:>8} {:>7} {:>7}  {}"


def main(arguments: argparse.Namespace) -> None:
    """Run all measurements and print their table."""
    rows = list(imports(arguments.rounds))
    for name, tensors, rounds in subjects(arguments):
        print(f"# {name}: {len(tensors)} tensors, {nbytes(tensors)} bytes", flush=True)
        rows += encoding(name, tensors, rounds)
        rows += decoding(name, tensors, rounds)
    rows += scaling(arguments.rounds)
    if not arguments.small:
        rows += memory(arguments)
    print(f"# {os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.2f} at the end")
    print(ROW.format("what: A | B", "A", "B", "A ÷ B", "of CPU", "goal of A ÷ B"))
    for row in rows:
        print(row)


def subjects(arguments: argparse.Namespace) -> list[tuple[str, Tensors, int]]:
    """Return (name, tensors, rounds) of what is measured."""
    name, weights = resnet56()
    found = [(name, weights, arguments.rounds), ("map 512×38×38", feature_map(), arguments.rounds)]
    if not arguments.small:
        found.append(("Whisper-tiny size", whisper_tiny(), arguments.large_rounds))
    return found


def encoding(name: str, tensors: Tensors, rounds: int) -> list[str]:
    """Return the rows of encoding: against NNCodec, two workers against one, the C++ share."""
    goal = "≥ 1.2" if "map" in name else "≥ 2.0"
    one, two = partial(nnc.encode, tensors), partial(nnc.encode, tensors, workers=2)
    rows = [paired(f"{name}: encode, NNCodec | nnrd, s", theirs(tensors), one, rounds, goal)]
    if len(tensors) > 1:
        goal = "≥ 1.7" if "Whisper" in name else ""
        rows.append(paired(f"{name}: encode, 1 worker | 2 workers, s", one, two, rounds, goal))
    return rows + cpp_share(f"{name}: encode", partial(nnc.encode, tensors), len(tensors))


def decoding(name: str, tensors: Tensors, rounds: int) -> list[str]:
    """Return the rows of decoding, with one worker and with two."""
    stream = nnc.encode(tensors)
    before = partial(_reference().decompress, bytearray(stream))
    rows = []
    for workers in (1, 2)[: len(tensors)]:
        goal = "≥ 1.5" if workers == 2 and "Whisper" in name else ""
        what = f"{name}: decode, NNCodec | nnrd {workers} workers, s"
        rows.append(
            paired(what, before, partial(nnc.decode, stream, workers=workers), rounds, goal)
        )
    return rows


def theirs(tensors: Tensors) -> Callable[[], bytes]:
    """Return NNCodec's encoder of tensors."""
    compress = _reference().compress
    return lambda: bytes(compress(tensors, bitstream_path=None, return_bitstream=True))


def paired(what: str, a: Callable, b: Callable, rounds: int, goal: str) -> str:
    """Time a and b in turn; return a row with both medians and the median ratios."""
    pairs = []
    for _ in range(rounds):
        (seconds_a, result_a), (seconds_b, result_b) = timed(a), timed(b)
        pairs.append((seconds_a, seconds_b))
        if not same(result_a, result_b):
            raise SystemExit(f"{what}: the results differ")
    first, second = (statistics.median(pair[i][0] for pair in pairs) for i in (0, 1))
    wall, cpu = (statistics.median(x[i] / y[i] for x, y in pairs) for i in (0, 1))
    row = ROW.format(what, f"{first:.3f}", f"{second:.3f}", f"{wall:.2f}", f"{cpu:.2f}", goal)
    print(row, flush=True)
    return row


def timed(function: Callable) -> tuple[tuple[float, float], object]:
    """Return ((wall, CPU) seconds with those of ended child processes, result) of a call."""
    cpu, start = _cpu_seconds(), time.perf_counter()
    result = function()
    return (time.perf_counter() - start, _cpu_seconds() - cpu), result


def _cpu_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def same(a: object, b: object) -> bool:
    """Compare two bitstreams, two dicts of tensors or two Nones."""
    if not isinstance(a, dict):
        return a == b
    return list(a) == list(b) and all(np.array_equal(a[k], b[k]) for k in a)


def cpp_share(what: str, encode: Callable, pieces: int) -> list[str]:
    """Return rows with the time in the C++ coder: its share of wall × workers, and its parts."""
    shares = []
    for workers in (1, 2)[:pieces]:
        with timed_coder() as inside:
            start = time.perf_counter()
            encode(workers=workers)
            wall = time.perf_counter() - start
        shares.append(f"{sum(inside.values()) / wall / workers:.3f}")
        if workers == 1:
            parts = [f"{inside[method]:.3f}" for method in ("quantLayer", "encodeLayer")]
    shares += ["-"] * (2 - len(shares))
    rows = [
        ROW.format(f"{what}, C++ ÷ (wall × workers): 1 | 2", *shares, "", "", "A, B ≥ 0.9"),
        ROW.format(f"{what}, in C++: quantLayer | encodeLayer, s", *parts, "", "", ""),
    ]
    print(*rows, sep="\n", flush=True)
    return rows


@contextmanager
def timed_coder():
    """Yield a dict that holds the seconds in each method of the C++ coder, over all processes."""
    context = multiprocessing.get_context("fork")
    methods = ("iae_v", "initCtxModels", "quantLayer", "encodeLayer", "finish")
    clocks = {method: context.Value("d", 0.0) for method in methods}
    original, real = coder._deepcabac, coder._deepcabac()

    class Encoder:
        def __init__(self):
            self._encoder = real.Encoder()

        def __getattr__(self, method):
            return partial(_clocked, clocks[method], getattr(self._encoder, method))

    timed_module = type("timed", (), {"Encoder": Encoder, "HdspMode": real.HdspMode})
    coder._deepcabac = lambda: timed_module
    try:
        yield _Seconds(clocks)
    finally:
        coder._deepcabac = original


class _Seconds(dict):
    """Shared clocks, read as numbers when asked for."""

    def __getitem__(self, method):
        return super().__getitem__(method).value

    def values(self):
        return [clock.value for clock in super().values()]


def _clocked(clock, method, *arguments):
    start = time.perf_counter()
    result = method(*arguments)
    with clock.get_lock():
        clock.value += time.perf_counter() - start
    return result


def scaling(rounds: int) -> list[str]:
    """Return the row of one process against two that have nothing in common."""
    context = multiprocessing.get_context("fork")
    tensors = {"w": gaussian((512, 1024))}

    def twice(together: bool) -> None:
        processes = [context.Process(target=nnc.encode, args=(tensors,)) for _ in range(2)]
        for process in processes:
            process.start()
            if not together:
                process.join()
        for process in processes:
            process.join()

    what = "this machine: two independent encoders in turn | at once, s"
    return [paired(what, partial(twice, False), partial(twice, True), rounds, "")]


def imports(rounds: int) -> list[str]:
    """Return the row of what an import costs."""
    a = "from nncodec import nnc"
    b = "from nnrd import nnc; import numpy; nnc.encode({'a': numpy.ones(1, 'f4')})"
    here = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    calls = [partial(subprocess.check_call, [sys.executable, "-c", c], env=here) for c in (a, b)]
    return [paired("start: import NNCodec | import nnrd.nnc and encode, s", *calls, rounds, "")]


def memory(arguments: argparse.Namespace) -> list[str]:
    """Return the rows of peak memory as a multiple of the raw tensors, tensors included."""
    rows = []
    for name in ("resnet56", "whisper_tiny"):
        for dq in (True, False):
            peaks = [_peak(name, encoder, dq) for encoder in ("theirs", "ours")]
            what = f"{name}: peak memory ÷ raw, NNCodec | nnrd, DQ {'on' if dq else 'off'}"
            ratio = f"{peaks[0] / peaks[1]:.2f}"
            rows.append(ROW.format(what, *(f"{p:.2f}" for p in peaks), ratio, "", "B ≤ 2.5"))
            print(rows[-1], flush=True)
    return rows


def _peak(name: str, encoder: str, dq: bool) -> float:
    """Measure in a fresh process."""
    code = f"import bench_nnc; bench_nnc.print_peak({name!r}, {encoder!r}, {dq})"
    here = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    return float(subprocess.check_output([sys.executable, "-c", code], env=here).split()[-1])


def print_peak(name: str, encoder: str, dq: bool) -> None:
    """Print the growth of resident memory from before the tensors to its peak, in raw sizes.

    A coarse qp, which makes it faster; memory does not depend on it.
    """
    encode = nnc.encode
    if encoder == "theirs":
        compress = _reference().compress
        encode = partial(compress, bitstream_path=None, return_bitstream=True)
    encode({"warm": np.ones((2, 2), np.float32)}, use_dq=dq)
    before = _status("VmRSS")
    tensors = {"resnet56": _resnet56_gaussian, "whisper_tiny": whisper_tiny}[name]()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    encode(tensors, use_dq=dq, qp=0)
    print((_status("VmHWM") - before) / nbytes(tensors))


def _status(key: str) -> int:
    """Return a line of this process's memory status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def nbytes(tensors: Tensors) -> int:
    """Return the tensors' size in memory."""
    return sum(tensor.nbytes for tensor in tensors.values())


def gaussian(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return weights as a trained layer has them roughly: σ = 1 ÷ √inputs."""
    values = np.random.default_rng(seed).standard_normal(shape, np.float32)
    values /= np.float32(max(1.0, np.prod(shape[1:])) ** 0.5)
    return values


def resnet56() -> tuple[str, Tensors]:
    """Return ResNet56 for CIFAR-100: its weights from NNRD_DATA, else gaussian ones."""
    folder = os.environ.get("NNRD_DATA")
    if not folder:
        return "ResNet56 shapes, gaussian (NNRD_DATA unset)", _resnet56_gaussian()
    import torch

    torch.set_num_threads(1)
    path = Path(folder) / "resnet56_cifar100" / "ResNet56_CIF100.pt"
    loaded = torch.load(path, map_location="cpu", weights_only=False)
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else loaded.state_dict()
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    return "ResNet56", {
        name: array if array.dtype == np.float32 else array.astype(np.int32).reshape(-1)
        for name, array in arrays.items()
    }


def _resnet56_gaussian() -> Tensors:
    """Return tensors of ResNet56's shapes: 3 stages of 9 blocks of 2 convolutions."""
    shapes: list[tuple[int, ...]] = [(16, 3, 3, 3)]
    width = 16
    for stage in (16, 32, 64):
        for _ in range(9):
            shapes += [(stage, width, 3, 3), (stage, stage, 3, 3)]
            width = stage
    tensors: Tensors = {}
    for i, shape in enumerate(shapes):
        tensors[f"conv{i}.weight"] = gaussian(shape, i)
        for part in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"bn{i}.{part}"] = gaussian(shape[:1], i)
        tensors[f"bn{i}.num_batches_tracked"] = np.ones(1, np.int32)
    return tensors | {"fc.weight": gaussian((100, 64)), "fc.bias": gaussian((100,))}


def feature_map() -> Tensors:
    """Return one map of 512 × 38 × 38 as behind a ReLU."""
    return {"map": gaussian((1, 512, 38, 38)).clip(0) * np.float32(512 * 38)}


def whisper_tiny() -> Tensors:
    """Return gaussian tensors of the shapes of Whisper tiny.en: 37.8 million values."""
    d, shapes = 384, {"decoder.tokens": (51864, 384), "decoder.positions": (448, 384)}
    shapes |= {"encoder.positions": (1500, d), "conv1.weight": (d, 80, 3), "conv1.bias": (d,)}
    shapes |= {"conv2.weight": (d, d, 3), "conv2.bias": (d,)}
    for side, attentions in (("encoder", ("self",)), ("decoder", ("self", "cross"))):
        for layer in range(4):
            for attention in attentions:
                at = f"{side}.{layer}.{attention}"
                shapes |= {f"{at}.{part}.weight": (d, d) for part in "qkvo"}
                shapes |= {f"{at}.{part}.bias": (d,) for part in "qvo"}
                shapes |= {f"{at}.norm.weight": (d,), f"{at}.norm.bias": (d,)}
            at = f"{side}.{layer}"
            shapes |= {f"{at}.fc1.weight": (4 * d, d), f"{at}.fc1.bias": (4 * d,)}
            shapes |= {f"{at}.fc2.weight": (d, 4 * d), f"{at}.fc2.bias": (d,)}
            shapes |= {f"{at}.norm.weight": (d,), f"{at}.norm.bias": (d,)}
        shapes |= {f"{side}.norm.weight": (d,), f"{side}.norm.bias": (d,)}
    return {name: gaussian(shape, seed) for seed, (name, shape) in enumerate(shapes.items())}


@cache
def _reference():
    import nncodec.nnc

    return nncodec.nnc


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = argparse.ArgumentParser(description=__doc__)
    result.add_argument("--rounds", type=int, default=5, help="pairs a row (default: 5)")
    result.add_argument(
        "--large-rounds", type=int, default=2, help="pairs a row of the large model (default: 2)"
    )
    result.add_argument("--small", action="store_true", help="without the large model and memory")
    return result


if __name__ == "__main__":
    program.run(main, parser())

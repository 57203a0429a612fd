"""Measure nnrd.nnc against NNCodec: its C++ calls, and compress and decompress as they are.

The table comes last. Each row compares two ways, run in turn (A B A B …) in one process order,
and prints the median of each, of the pairs' ratios and of the ratios of their CPU time, which
tells more where others use the machine. Streams and tensors are compared on the way. Two
independent processes are timed as well: what they reach together is what two workers can reach.
Peak memory and imports are measured in fresh processes. One compute thread everywhere but where
two workers are named.
"""

import argparse
import math
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from nnrd import nnc
from nnrd.core import program
from nnrd.nnc import coders
from nnrd.nnc.coder import Coder
from nnrd.nnc.syntax import TensorUnit

Tensors = dict[str, np.ndarray]
EMBEDDING = (51_864, 384)  # Whisper tiny.en's token embedding, more than half of its values
PEAKS = [  # what is encoded, its values, options
    *(("whole", 37_760_640, {"qp": qp}) for qp in (0, -38, -75)),
    ("whole", 37_760_640, {"qp": 0, "use_dq": False}),
    *(("one", math.prod(EMBEDDING), {"qp": qp}) for qp in (0, -38, -128)),
    ("one", math.prod(EMBEDDING), {"qp": -128, "use_dq": False}),
    ("one", math.prod(EMBEDDING), {"qp": 0, "codebook_mode": 2}),
]
ROW = "{:<66} {:>8} {:>8} {:>7} {:>7}  {}"


def main(arguments: argparse.Namespace) -> None:
    """Run all measurements and print their table."""
    print(f"# coder: {nnc.coder_in_use()}", flush=True)
    rows = list(imports(arguments.rounds))
    rows += calls(arguments.rounds)
    rows += phases(arguments.rounds)
    rows += limits(arguments.rounds)
    for name, tensors, rounds in subjects(arguments):
        print(f"# {name}: {len(tensors)} tensors, {nbytes(tensors)} bytes", flush=True)
        rows += encoding(name, tensors, rounds)
        rows += decoding(name, tensors, rounds)
    rows += scaling(arguments.rounds)
    if not arguments.small:
        rows += memory()
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


def calls(rounds: int) -> list[str]:
    """Return the rows of the C++ calls alone, NNCodec's and nnrd's, one core, ns a value."""
    values = laplacian((1024, 1024))
    rows = []
    for options in (nnc.Options(), nnc.Options(qp=-26), nnc.Options(use_dq=False)):
        shown = f"2^20 Laplacian, qp {options.qp}{'' if options.use_dq else ', no DQ'}"
        coded = [partial(_code, coders.find(name), values, options) for name in coders.NAMES[::-1]]
        what, goal = f"{shown}: quantise and encode, ns", "≥ 3.0" if options.use_dq else ""
        rows.append(paired(what, *coded, rounds, goal, values.size * 1e-9))
        head, data = coded[0]()
        back = [_decoder(coders.find(name), head, data, options) for name in coders.NAMES[::-1]]
        goal = "≥ 2.0" if options.use_dq else ""
        rows.append(paired(f"{shown}: decode, ns", *back, rounds, goal, values.size * 1e-9))
    return rows


def _code(by: Coder, values: np.ndarray, options: nnc.Options) -> tuple:
    levels, qp = by.quantise(values, options.qp, options, options.use_dq)
    unary = options.cabac_unary_length_minus1
    head = TensorUnit("", 0, values.shape, True, options.use_dq, unary)
    data = bytes(by.encode(levels, head, qp, options))
    return replace(head, end=len(data)), data


def _decoder(by: Coder, head: TensorUnit, data: bytes, options: nnc.Options) -> Callable[[], dict]:
    """Return what decodes into memory that is there: neither pages nor copies are timed."""
    source, values = by.source(memoryview(data), [head]), np.zeros(head.shape, np.float32)

    def decode() -> Tensors:
        levels = values.view(np.int32)  # the values take their place, as in `nnrd.nnc.decode`
        qp = by.decode(source, head, options.qp_density, levels)
        return {"values": by.dequantise(levels, qp, options.qp_density, values)}

    return decode


def phases(rounds: int) -> list[str]:
    """Return where the time goes: the least ns a value of each phase, by each coder."""
    values, rows = laplacian((1024, 1024)), []
    for qp in (-38, -26):
        for name in coders.NAMES:
            runs = [_phases(coders.find(name), values, nnc.Options(qp=qp)) for _ in range(rounds)]
            least = {
                phase: min(run[phase] for run in runs) / values.size * 1e9 for phase in runs[0]
            }
            shown = ", ".join(f"{phase} {ns:.1f}" for phase, ns in least.items())
            rows.append(f"2^20 Laplacian, qp {qp}, {name}, ns a value: {shown}")
            print(rows[-1], flush=True)
    return rows


def _phases(by: Coder, values: np.ndarray, options: nnc.Options) -> dict[str, float]:
    """Return the CPU seconds of each phase; those of the trial are the difference it makes."""
    head, spent = TensorUnit("", 0, values.shape, True, True, 10), {}
    (_, spent["quantise"]), (levels, qp) = timed(
        lambda: by.quantise(values, options.qp, options, True)
    )
    plain, again = replace(options, param_opt=False), levels.copy()  # encode uses levels up
    (_, spent["trial"]), data = timed(lambda: bytes(by.encode(again, head, qp, options)))
    (_, spent["code"]), _ = timed(lambda: bytes(by.encode(levels, head, qp, plain)))
    spent["trial"] -= spent["code"]
    head = replace(head, end=len(data))
    source, levels = by.source(memoryview(data), [head]), np.zeros(values.shape, np.int32)
    (_, spent["decode"]), _ = timed(lambda: by.decode(source, head, options.qp_density, levels))
    out = np.zeros(values.shape, np.float32)
    (_, spent["dequantise"]), _ = timed(lambda: by.dequantise(levels, qp, options.qp_density, out))
    return spent


def limits(rounds: int) -> list[str]:
    """Return what the machine could do at most beside what the coder does."""
    source = np.ones(1 << 26, np.uint8)
    target = source.copy()
    copies = [timed(partial(np.copyto, target, source))[0][0] for _ in range(rounds)]
    rows = [f"copying memory: {source.size / min(copies) / 1e9:.1f} GB/s"]
    by, values = coders.find(), laplacian((1024, 1024))
    for qp in (-38, -26):
        options = nnc.Options(qp=qp, param_opt=False)
        levels, _ = by.quantise(values, qp, options, True)
        head = TensorUnit("", 0, values.shape, True, True, 10)
        seconds = min(
            timed(partial(by.encode, levels.copy(), head, qp, options))[0][0] for _ in range(5)
        )
        bins = context_bins((np.abs(levels) + 1) // 2)
        rows.append(
            f"qp {qp}: {bins / levels.size:.1f} context-coded bins a value, "
            f"{bins / seconds / 1e6:.0f} million a second without the trial, "
            f"{levels.nbytes / seconds / 1e9:.2f} GB/s of levels"
        )
    print(*rows, sep="\n", flush=True)
    return rows


def context_bins(magnitudes: np.ndarray) -> int:
    """Return how many bins with a context the magnitudes of coded levels have, 11 flags each."""
    above = magnitudes[magnitudes > 0].astype(np.int64) - 1
    prefixes = np.floor(np.log2(above[above >= 11] - 10)) + 1
    return int(magnitudes.size + above.size + np.minimum(above + 1, 11).sum() + prefixes.sum())


def laplacian(shape: tuple[int, ...]) -> np.ndarray:
    """Return values as trained weights are distributed, of a scale of 0.02."""
    return (np.random.default_rng(0).laplace(size=shape) * 0.02).astype(np.float32)


def encoding(name: str, tensors: Tensors, rounds: int) -> list[str]:
    """Return the rows of encoding: against NNCodec, and two workers against one."""
    one, two = partial(nnc.encode, tensors), partial(nnc.encode, tensors, workers=2)
    rows = [paired(f"{name}: encode, NNCodec | nnrd, s", theirs(tensors), one, rounds, "≥ 4.0")]
    if len(tensors) > 1:
        rows.append(paired(f"{name}: encode, 1 worker | 2 workers, s", one, two, rounds, "≥ 1.85"))
    return rows


def decoding(name: str, tensors: Tensors, rounds: int) -> list[str]:
    """Return the rows of decoding, with one worker and with two."""
    stream = nnc.encode(tensors)
    before = partial(_reference().decompress, bytearray(stream))
    rows = []
    for workers in (1, 2)[: len(tensors)]:
        goal = "≥ 2.0" if workers == 1 else ""
        what = f"{name}: decode, NNCodec | nnrd {workers} workers, s"
        rows.append(
            paired(what, before, partial(nnc.decode, stream, workers=workers), rounds, goal)
        )
    return rows


def theirs(tensors: Tensors) -> Callable[[], bytes]:
    """Return NNCodec's encoder of tensors."""
    compress = _reference().compress
    return lambda: bytes(compress(tensors, bitstream_path=None, return_bitstream=True))


def paired(what: str, a: Callable, b: Callable, rounds: int, goal: str, unit: float = 1.0) -> str:
    """Time a and b in turn; return a row with both medians, in units, and the median ratios."""
    pairs = []
    for _ in range(rounds):
        (seconds_a, result_a), (seconds_b, result_b) = timed(a), timed(b)
        pairs.append((seconds_a, seconds_b))
        if not same(result_a, result_b):
            raise SystemExit(f"{what}: the results differ")
    first, second = (statistics.median(pair[i][0] for pair in pairs) / unit for i in (0, 1))
    wall, cpu = (statistics.median(x[i] / y[i] for x, y in pairs) for i in (0, 1))
    row = ROW.format(what, f"{first:.4g}", f"{second:.4g}", f"{wall:.2f}", f"{cpu:.2f}", goal)
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


def memory() -> list[str]:
    """Return the rows of peak memory in MB, tensors included, beside what it may be."""
    rows = []
    for what, values, options in PEAKS:
        limit = 2.3 * values * 4 / 1e6 + 64
        # Codebooks: NNCodec tries an entry after the other as zero, in minutes.
        both = what == "whole" and options["qp"] == 0
        theirs = _peak("theirs", options) if both else math.nan
        ours = _peak(what, options)
        shown = f"Whisper-tiny size, {what}, {options}: peak memory, NNCodec | nnrd, MB"
        row = (f"{theirs:.0f}", f"{ours:.0f}", f"{theirs / ours:.2f}", "", f"B ≤ {limit:.0f}")
        rows.append(ROW.format(shown, *row))
        print(rows[-1], flush=True)
    return rows


def _peak(what: str, options: dict) -> float:
    """Measure in a fresh process."""
    code = f"import bench_nnc; bench_nnc.print_peak({what!r}, {options!r})"
    here = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    return float(subprocess.check_output([sys.executable, "-c", code], env=here).split()[-1])


def print_peak(what: str, options: dict, rows: int = EMBEDDING[0]) -> None:
    """Print the growth of resident memory from before the tensors to its peak, in MB.

    ``what``: ``one`` tensor of rows × 384 values, or the ``whole`` model, by nnrd or by ``theirs``.
    """
    encode = nnc.encode
    if what == "theirs":
        encode = partial(_reference().compress, bitstream_path=None, return_bitstream=True)
    encode({"warm": np.eye(2, dtype=np.float32)}, **options)
    before = _status("VmRSS")
    tensors = {"one": gaussian((rows, EMBEDDING[1]))} if what == "one" else whisper_tiny()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    encode(tensors, **options)
    print((_status("VmHWM") - before) / 1e6)


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
    d, shapes = 384, {"decoder.tokens": EMBEDDING, "decoder.positions": (448, 384)}
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


def add_arguments(result: argparse.ArgumentParser) -> None:
    """Add the options."""
    result.add_argument("--rounds", type=int, default=5, help="pairs a row (default: 5)")
    result.add_argument(
        "--large-rounds", type=int, default=2, help="pairs a row of the large model (default: 2)"
    )
    result.add_argument("--small", action="store_true", help="without the large model and memory")


if __name__ == "__main__":
    program.run(sys.modules[__name__])

"""Measure nnrd.nnc against NNCodec: its C++ calls, and compress and decompress as they are.

The table comes last. Each row compares two ways, run in turn (A B A B …) in one process order,
and prints the median of each, of the pairs' ratios and of the ratios of their CPU time, which
tells more where others use the machine. Streams and tensors are compared on the way. Two
independent processes are timed as well: what they reach together is what two workers can reach.
Peak memory and imports are measured in fresh processes. One compute thread everywhere but where
two workers are named.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benches import peaks
from benches.tensors import (
    Tensors,
    feature_map,
    gaussian,
    laplacian,
    nbytes,
    resnet56,
    whisper_tiny,
)
from benches.timing import ROW, paired, timed
from nnrd import nnc
from nnrd.core import program
from nnrd.nnc import coders
from nnrd.nnc.coder import Coder
from nnrd.nnc.syntax import TensorUnit


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
        rows += peaks.rows()
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


def encoding(name: str, tensors: Tensors, rounds: int) -> list[str]:
    """Return the rows of encoding: against NNCodec, and two workers against one."""
    one, two = partial(nnc.encode, tensors), partial(nnc.encode, tensors, workers=2)
    rows = [paired(f"{name}: encode, NNCodec | nnrd, s", theirs(tensors), one, rounds, "≥ 4.0")]
    if len(tensors) > 1:
        rows.append(paired(f"{name}: encode, 1 worker | 2 workers, s", one, two, rounds, "≥ 1.85"))
    return rows


def decoding(name: str, tensors: Tensors, rounds: int) -> list[str]:
    """Return the rows of decoding, with one worker and with two."""
    from nncodec.nnc import decompress

    stream = nnc.encode(tensors)
    before = partial(decompress, bytearray(stream))
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
    from nncodec.nnc import compress

    return lambda: bytes(compress(tensors, bitstream_path=None, return_bitstream=True))


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


def add_arguments(result: argparse.ArgumentParser) -> None:
    """Add the options."""
    result.add_argument("--rounds", type=int, default=5, help="pairs a row (default: 5)")
    result.add_argument(
        "--large-rounds", type=int, default=2, help="pairs a row of the large model (default: 2)"
    )
    result.add_argument("--small", action="store_true", help="without the large model and memory")


if __name__ == "__main__":
    program.run(sys.modules[__name__])

"""A recogniser that carries state, quantised each way: bytes, word error rate, time a package.

A narrow DeepSpeech is trained on made speech and scored on speech of the same voices; one of the
published width has random weights, and serves for bytes and times. One thread.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benches import recogniser, stateful
from benches.made_speech import kept
from benches.stateful import CONTROLLED, MAX_DROP, WAYS, Found, Subject
from nnrd.core import program
from nnrd.models import ModelRow
from nnrd.runtime.environment import made_by

ROW = "{:<40} {:>8} {:>7} {:>15} {:>17} {:>8}  {}"
HEAD = ("", "MB", "WER %", "95 % interval", "against the first", "ms", "")
WIDE = ModelRow("deepspeech", "deepspeech", "random", "asr")
FEW = 4  # recordings that the wide network is calibrated with
FEW_PACKAGES = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    words = "folder that keeps speech, networks and quantised graphs; a temporary one by default"
    parser.add_argument("--folder", type=Path, help=words)
    narrow = "leave out the network of the published width, which takes minutes"
    parser.add_argument("--narrow", action="store_true", help=narrow)
    timed = "packages of 16 frames that each way is timed on"
    parser.add_argument("--packages", type=int, default=100, help=timed)


def main(args: argparse.Namespace) -> None:
    """Measure and print."""
    with kept(args.folder) as folder:
        _measure(args, folder)


def _measure(args: argparse.Namespace, folder: Path) -> None:
    machine = made_by()
    print(f"{machine['processor']}, 1 thread", flush=True)
    file = recogniser.exported(folder, recogniser.ROW)
    calibration, test = (recogniser.speech(folder, name) for name in ("valid", "test"))
    narrow = Subject(recogniser.ROW, file, calibration, test)
    _report(f"{recogniser.WIDTH} wide, trained", narrow, (*WAYS, CONTROLLED), folder, args.packages)
    if not args.narrow:
        wide = Subject(
            WIDE, recogniser.exported(folder, WIDE), calibration[:FEW], samples=FEW_PACKAGES
        )
        _report("2048 wide, random weights", wide, WAYS, folder, args.packages)


def _report(title: str, subject: Subject, ways: Sequence, folder: Path, packages: int) -> None:
    """Measure a network and print its table."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        found = stateful.measured(subject, ways, Path(out), packages)
    print(f"\n{title}: {len(subject.test)} recordings")
    print(ROW.format(*HEAD))
    for one in found:
        print(ROW.format(*_row(one)))
    for one in found:
        if one.reverted:
            print(f"{one.way.name}: back to float went {', '.join(one.reverted)}")


def _row(found: Found) -> tuple[str, ...]:
    precision = getattr(found.run, "precision", None)
    name = found.way.name + (f" ({precision})" if precision else "")
    numbers = f"{found.bytes / 1e6:.3f}", f"{found.ms:.2f}"
    if found.scores is None:
        return name, numbers[0], "", "", "", numbers[1], ""
    interval, apart = (
        f"{found.scores[f'{what}_low']:.1f} to {found.scores[f'{what}_high']:.1f}"
        for what in ("WER", "WER_difference")
    )
    worse = found.scores["WER_difference_low"] > MAX_DROP
    said = f"worse by more than {MAX_DROP:g}" if worse else ""
    return name, numbers[0], f"{found.scores['WER']:.1f}", interval, apart, numbers[1], said


if __name__ == "__main__":
    program.run(sys.modules[__name__])

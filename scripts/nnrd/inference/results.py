"""The table of runs by hand: a row a run, with sizes and times over its images."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas

from nnrd.core.files import complete_file, without_nan
from nnrd.inference.chain import Passed

SIZES = ("anc_size", "rec_size")
STEPS = (
    *("pre_time", "run_time", "part1_time", "enc_time", "dec_time", "part2_time", "post_time"),
    "total_time",
)
NUMBERS = ("mean", "std", "min", "max")
LABELS = (
    *("run", "source", "kind", "model", "split", "split_name", "branches", "codec", "parameters"),
    *("part1_provider", "part2_provider", "threads", "loops"),
)
COUNTS = ("frames", "skipped", "detections")
COLUMNS = (
    *LABELS,
    *COUNTS,
    *(f"{size}_{number}" for size in SIZES for number in NUMBERS),
    "compress_ratio",
    *(f"{step}_{number}" for step in STEPS for number in ("first", *NUMBERS)),
    *("frames_per_second", "nmse"),
)


@dataclass
class Tally:
    """Adds up what the images of a run gave; ``sizes`` of the first loop, ``seconds`` of all."""

    sizes: dict[str, list[int]] = field(default_factory=lambda: {size: [] for size in SIZES})
    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, list[float]] = field(default_factory=dict)
    detections: int = 0

    def add(self, passed: Passed, first_loop: bool, threshold: float) -> None:
        """Add an image; detections with a score of ``threshold`` or more are counted."""
        for step, seconds in passed.seconds.items():
            self.seconds.setdefault(step, []).append(seconds)
        if not first_loop:
            return
        self.sizes["anc_size"].append(passed.anc_size)
        self.sizes["rec_size"].append(passed.rec_size)
        for output, error in passed.errors.items():
            self.errors.setdefault(output, []).append(error)
        self.detections += sum(row["score"] >= threshold for row in passed.detections)

    @property
    def frames(self) -> int:
        """The number of images."""
        return len(self.sizes["anc_size"])

    def row(self, labels: Mapping[str, Any], first: Mapping[str, float]) -> dict[str, Any]:
        """Return the run's row; ``labels`` say what ran, ``first`` what the first pass took."""
        found = {**labels, "frames": self.frames, "detections": self.detections}
        for size, values in self.sizes.items():
            found |= {f"{size}_{name}": value for name, value in _numbers(values)}
        found["compress_ratio"] = sum(self.sizes["rec_size"]) / sum(self.sizes["anc_size"])
        for step, seconds in self.seconds.items():
            found |= {f"{step}_first": first[step]}
            found |= {f"{step}_{name}": value for name, value in _numbers(seconds)}
        found["frames_per_second"] = 1 / found["total_time_mean"]
        means = {name: float(np.mean(values)) for name, values in self.errors.items()}
        return found | ({"nmse": json.dumps(without_nan(means))} if means else {})


def _numbers(values: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Yield mean, standard deviation of the sample (none of one value), least and largest."""
    yield "mean", float(np.mean(values))
    if len(values) > 1:
        yield "std", float(np.std(values, ddof=1))
    yield "min", min(values)
    yield "max", max(values)


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the table as CSV; an empty cell is a number that a run does not have."""
    frame = pandas.DataFrame(list(rows)).reindex(columns=COLUMNS)
    counts = dict.fromkeys(("split", "branches", "threads", "loops", *COUNTS), "Int64")
    with complete_file(path) as temporary:
        frame.astype(counts).to_csv(temporary, index=False, float_format="%.6g")

"""Tables of points whose latencies can be worked out by hand: one item, so that ms are plain."""

import math

import pandas as pd

from nnrd.tasks import Metric

F1 = Metric("F1", "F1 against the anchor", "%", True, True, to_anchor=True)
AP = Metric("AP", "AP against ground truth", "%", True, True)
WER = Metric("WER", "word error rate", "%", False, True)


def row(codec, split=None, sent=None, size=0, ms=(), f1=100.0, f1_low=None, study="s", **more):
    """Return a point of one item; ``ms``: pre, part I, encode, decode, part II, post."""
    pre, part1, encode, decode, part2, post = ms
    return {
        "study": study, "task": "detection", "model": "m", "dataset": "d", "split": split,
        "split_name": f"n{split}", "branches": 1, "codec": codec, "parameters": "{}",
        "anc_size": 9000, "rec_size": size, "items": 1, "metric_name": "AP",
        "anc_perf": 40.0, "rec_perf": 40.0 - (100 - f1) / 10, "sent": sent,
        "pre_time": pre / 1e3, "run_time": (part1 + part2) / 1e3, "post_time": post / 1e3,
        "part1_time": None if split is None else part1 / 1e3,
        "enc_time": None if encode is None else encode / 1e3,
        "dec_time": None if decode is None else decode / 1e3,
        "F1": f1, "F1_low": f1 if f1_low is None else f1_low, "isolated": True,
    } | more  # fmt: skip


def points():
    """Return a study: the device takes 60 ms, the photo 1,000 bytes, a split 100 bytes."""
    return pd.DataFrame(
        [
            row("anchor", ms=(1, 0, None, None, 56, 3), size=9000),
            row("stored", sent="files", size=1000, ms=(1, 0, 0, 2, 11, 3)),
            row("jpeg", sent="files", size=400, ms=(1, 0, 1, 2, 11, 3), f1=90.0, f1_low=80.0),
            row("raw", 5, "features", 2000, (1, 9, 0, 0, 5, 3)),
            row("nnc", 5, "features", 100, (1, 9, 4, 2, 5, 3), f1=99.5, f1_low=99.2),
            row("nnc", 9, "features", 50, (1, 19, 4, 2, 3, 3), f1=99.4, f1_low=97.0),
            row("entropy", 5, "features", 90, (0, 9, 4, 0, 0, 0), f1=math.nan, run_time=None),
        ]
    )


def on_two_providers():
    """Return the study with part I on another provider than part II and the whole model."""
    table = points().assign(provider="CUDAExecutionProvider", part1_provider=None)
    table.loc[table["split"].notna(), "part1_provider"] = "CPUExecutionProvider"
    return table

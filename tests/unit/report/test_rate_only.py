"""A bound on the rate stands in records and plots without an accuracy."""

import math

import pandas
import pytest

from nnrd import UserError
from nnrd.analysis.latency import Circumstances
from nnrd.report import latency_table, records
from nnrd.report.plots import REGISTRY, style

TIMED = ("pre", "run", "post")
ENCODED = {
    "rows": [{"item": "a", "anc_size": 400, "rec_size": 40, "enc_time": 1.0}],
    "threads": 1,
    "isolated": False,
}


def test_a_record_without_an_inference():
    found = records.measured({"source": None, "encoded": ENCODED, "inferred": None})
    assert (found["anc_size"], found["rec_size"], found["compress_ratio"]) == (400, 40, 0.1)
    for name in ("dec_time", "rec_eval_time", "provider", "dec_threads"):
        assert found[name] is None, name
    with pytest.raises(UserError, match="needs the times"):
        records.measured({"source": None, "encoded": None, "inferred": None})


def table(tmp_path, task, metric, split, codecs):
    """Write a table of points as a study's; a bound's accuracy is empty."""
    rows = []
    for codec in ("anchor", *codecs):
        for ratio in (0.1, 0.2) if codec != "anchor" else (None,):
            perf = math.nan if codec == "entropy" else 50.0
            names = ("agreement", "F1", "F1_low", "F1_high", "AP", "top1", "WER_low", "WER_high")
            rows.append(
                {"study": "s", "task": task, "model": "m", "dataset": "d", "codec": codec}
                | {"split": split if codec != "anchor" else None, "split_name": "n", "branches": 1}
                | {"parameters": "{}", "compress_ratio": ratio, "metric_name": metric, "items": 4}
                | {"anc_size": 400, "rec_size": 400 * ratio if ratio else None, "runtime": "onnx"}
                | {"rec_perf": perf, "anc_perf": 50.0, "kind": "x", metric: perf}
                | {"rec_eval_time": math.nan if codec == "entropy" else 1.0}
                | dict.fromkeys(names, perf)
            )
    path = tmp_path / "points.csv"
    pandas.DataFrame(rows).to_csv(path, index=False)
    return path


def latency_file(file):
    """Return the table of latencies of a table of points, in which a bound took no time to run."""
    points = pandas.read_csv(file).assign(enc_time=1.0, dec_time=1.0, part1_time=1.0)
    ran = points["rec_perf"].notna()
    points = points.assign(**{f"{name}_time": ran.map({True: 1.0}) for name in TIMED})
    given = Circumstances({"slow": 1e6, "fast": 1e9})
    found = latency_table.of_study(points, None, latency_table.metric_of(points, None), given, 1.0)
    found.to_csv(file, index=False)
    return file


@pytest.mark.parametrize("codecs", [("nnc", "entropy"), ("entropy",)], ids=["beside", "alone"])
@pytest.mark.parametrize("plot", REGISTRY.names())
def test_plots_live_with_a_bound(tmp_path, plot, codecs):
    of_weights = ("asr", "WER", None)
    task, metric, split = (
        of_weights if plot in ("accuracy_size", "accuracy_time") else ("detection", "AP", 3)
    )
    file = table(tmp_path, task, metric, split, codecs)
    if plot == "latency":
        file = latency_file(file)
    points, anchors = style.read_points(file)
    figure = REGISTRY.get(plot)().draw(points, anchors)
    style.save(figure, [tmp_path / "plot.svg"])
    assert (tmp_path / "plot.svg").stat().st_size > 1000

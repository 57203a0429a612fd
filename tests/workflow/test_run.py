"""What a run makes, and that a killed job leaves no trace in it."""

import json
import os
import subprocess

import numpy as np
import pandas
import pytest
from PIL import Image

from nnrd.study.kinds import KINDS

from .conftest import DATASET, ITEMS, MODEL, Checkout

CONTRACT = [
    *("study", "task", "model", "dataset", "split", "split_name", "branches", "codec"),
    *("parameters", "anc_size", "rec_size", "compress_ratio", "metric_name", "anc_perf"),
    *("rec_perf", "enc_time", "dec_time", "anc_eval_time", "rec_eval_time"),
]


def read_points(checkout: Checkout, study: str = "small") -> pandas.DataFrame:
    table = pandas.read_csv(checkout.folder / "results/tables/points.csv")
    return table[table.study == study].reset_index(drop=True)


def test_points_have_the_columns_of_the_contract(finished):
    table = read_points(finished)
    assert list(table.columns[: len(CONTRACT)]) == CONTRACT
    assert list(table["codec"]) == ["anchor", "stored", "raw", "raw", "nnc", "nnc"]
    assert list(table["branches"].dropna()) == [1, 2, 1, 2]
    parameters = [json.loads(value) for value in table["parameters"]]
    assert parameters == [{}, {}, {}, {}, {"qp": -10}, {"qp": -10}]


def test_the_photos_as_they_are_stored(finished):
    """The whole model on the files themselves: the anchor's accuracy, and the files' bytes."""
    anchor, stored = (row for _, row in read_points(finished)[:2].iterrows())
    items = json.loads((finished.folder / f"results/datasets/{ITEMS}.json").read_text())["items"]
    sizes = [(finished.folder / item["path"]).stat().st_size for item in items]
    assert (stored["rec_size"], stored["sent"]) == (sum(sizes), "files")
    pixels = [item["facts"]["width"] * item["facts"]["height"] * 3 for item in items]
    assert stored["anc_size"] == sum(pixels) and np.isnan(stored["split"])
    for column in ("rec_perf", "F1", "agreement", "tr26847_map"):
        assert stored[column] == anchor[column], column


def test_uncompressed_points_equal_the_anchor(finished):
    table = read_points(finished)
    anchor, raw = table[table.codec == "anchor"].iloc[0], table[table.codec == "raw"]
    assert anchor["agreement"] == 100
    for column in ("agreement", "AP50", "tr26847_map", "rec_perf"):
        assert (raw[column] == anchor[column]).all()
    assert (raw["anc_perf"] == anchor["rec_perf"]).all()


def test_outputs_are_held_against_the_whole_model_s(finished):
    table = read_points(finished)
    assert (table[table.codec == "raw"]["output_nmse"] == 0).all()
    coded = table[table.codec == "nnc"]
    assert coded["output_nmse"].between(0, 1, inclusive="neither").all()
    for row in coded.itertuples():
        assert max(json.loads(row.output_nmse_by_output).values()) == row.output_nmse
    assert table[table["split"].isna()]["output_nmse"].isna().all()


def test_rate_is_the_length_of_the_bitstreams(finished):
    table = read_points(finished)
    for row in table[table["split"].notna()].itertuples():
        qp = json.loads(row.parameters).get("qp")
        point = f"rank{row.split:.0f}/{row.codec}/{'default' if qp is None else f'qp={qp}'}"
        folder = finished.folder / f"results/features/{MODEL}/{ITEMS}/{point}/bitstreams"
        files = list(folder.rglob("*.bin"))
        assert len(files) == 4
        assert row.rec_size == sum(file.stat().st_size for file in files)
        assert row.compress_ratio == pytest.approx(row.rec_size / row.anc_size, rel=1e-5)


def test_the_weights_study(finished):
    table = read_points(finished, "weights")
    assert list(table["codec"]) == ["anchor", "float16", "nnc"]
    assert table["rec_perf"].between(0, 100).all() and set(table["items"]) == {4}
    assert table.loc[0, "anc_size"] == table.loc[0, "rec_size"] == 14_156_352
    measured = ["anc_size", "rec_size", "compress_ratio", "enc_time", "dec_time"]
    assert table[["anc_perf", "anc_eval_time", "rec_eval_time", "top5"]].notna().all(axis=None)
    assert table.loc[1:, measured].notna().all(axis=None)
    bitstream = "results/weights/mobilenet_v2/float16/default/bitstreams/0-of-1/weights.bin"
    half = table.loc[1]
    assert half["rec_size"] == (finished.folder / bitstream).stat().st_size
    assert half["anc_size"] == 14_156_352 and half["agreement"] == 100
    for name in ("weights", "all"):
        assert (finished.folder / f"results/plots/{name}/accuracy_size.svg").exists()


def test_times_add_up(finished):
    table = pandas.concat([read_points(finished), read_points(finished, "weights")])
    sums = table[["pre_time", "run_time", "post_time"]].sum(axis=1)
    assert (table["rec_eval_time"] / sums - 1).abs().max() < 1e-4  # six digits a number
    assert (table[["pre_time", "run_time", "post_time"]] > 0).all(axis=None)


def test_items_add_up_to_the_points(finished):
    items = pandas.read_csv(finished.folder / "results/tables/items.csv")
    items = items[items.study == "small"]
    points = read_points(finished)
    assert len(items) == 4 * len(points)
    keys = ["split", "codec", "parameters"]
    sums = items.groupby(keys, dropna=False)["rec_size"].sum(min_count=1)
    for row in points[points["split"].notna()].itertuples():
        assert sums[row.split, row.codec, row.parameters] == row.rec_size
    # Nothing is split: of each image the graph's input is sent, float32 (1, 3, 300, 300).
    anchor = points.loc[0]
    assert anchor["rec_size"] == anchor["anc_size"] == 4 * 3 * 300 * 300 * 4
    assert set(items[items.codec == "anchor"]["rec_size"]) == {3 * 300 * 300 * 4}


@pytest.mark.parametrize("plot", KINDS["features"].plots)
def test_plots_are_there_in_three_formats(finished, plot):
    folder = finished.folder / "results/plots/small"
    assert (folder / f"{plot}.pdf").read_bytes().startswith(b"%PDF")
    assert "<svg" in (folder / f"{plot}.svg").read_text()
    with Image.open(folder / f"{plot}.png") as image:
        assert min(image.size) > 300 and len(np.unique(image.convert("L"))) > 50


def test_latencies(finished):
    """A row a point and rate; 8 · bytes / rate lies between two rates, whatever the times."""
    table = pandas.read_csv(finished.folder / "results/tables/small/latency.csv")
    points = read_points(finished)
    assert len(table) == 3 * len(points)
    assert list(dict.fromkeys(table["rate_name"])) == ["500 Mbit/s", "1 Gbit/s", "5 Gbit/s"]
    parts = table[["device_ms", "encode_ms", "send_ms", "decode_ms", "network_ms"]]
    assert (parts.sum(axis=1) / table["total_ms"] - 1).abs().max() < 1e-4
    assert table["total_ms"].between(table["total_ms_low"], table["total_ms_high"]).all()
    rates = [table[table["rate_name"] == name].reset_index() for name in ("500 Mbit/s", "1 Gbit/s")]
    apart = rates[0]["send_ms"] - rates[1]["send_ms"]
    sent = points["rec_size"] / 4 * 8e3 / 1e9
    pandas.testing.assert_series_equal(
        apart,
        sent.mask(points["codec"] == "anchor", 0.0),
        check_names=False,
        rtol=1e-4,
        check_dtype=False,
    )
    assert table[table["codec"] == "raw"]["within_loss"].eq("sure").all()


def test_provenance(finished):
    found = json.loads((finished.folder / "results/provenance.json").read_text())
    assert found["config"]["isolated"] is False
    assert found["config"]["studies"]["small"]["items"] == 4
    assert found["packages"]["nncodec"] == "2.1.3"
    assert found["machine"]["cores"] == os.cpu_count()
    steps = found["records"][f"results/features/{MODEL}/{ITEMS}/rank50/nnc/qp=-10/point.json"]
    made = {name: found["environments"][numbers[0]] for name, numbers in steps.items()}
    assert made["encoded"]["coder"] in ("native", "nncodec 2.1.3")
    assert made["encoded"]["packages"]["numpy"] == np.__version__
    assert made["inferred"]["provider"] == "CPUExecutionProvider"
    assert "torch" not in made["source"]["packages"] | made["inferred"]["packages"]
    assert len(found["assets"][f"{DATASET}/astronaut.png"]) == 64
    assert "results/tables/points.csv" in found["results"]


def test_report(finished):
    done = subprocess.run(
        [*finished.command()[:3], "--report", "results/report.html", "--cores", "1"],
        cwd=finished.folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (finished.folder / "results/report.html").read_text()
    for word in ("accuracy_bytes", "codec_bars", "overlays", "points.csv", "Provenance"):
        assert word in page

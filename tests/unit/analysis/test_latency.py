"""Latencies of points, worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from point_tables import on_two_providers, points, row

from nnrd import UserError
from nnrd.analysis.latency import ENDS, PARTS, TOTAL, WHERE, Circumstances, latencies

MBIT = Circumstances({"slow": 1e6})  # 1,000 bits a millisecond: 8 ms for 1,000 bytes


def by_codec(table):
    return {(r.codec, None if pd.isna(r.split) else int(r.split)): r for r in table.itertuples()}


def parts(found):
    return tuple(round(getattr(found, name), 9) for name in PARTS)


@pytest.mark.parametrize(
    ("point", "where", "expected"),  # device, encode, send, decode, network
    [
        (("anchor", None), "device", (60, 0, 0, 0, 0)),
        (("stored", None), "network", (0, 0, 8, 2, 15)),
        (("jpeg", None), "network", (0, 1, 3.2, 2, 15)),
        (("raw", 5), "split", (10, 0, 16, 0, 8)),
        (("nnc", 5), "split", (10, 4, 0.8, 2, 8)),
        (("nnc", 9), "split", (20, 4, 0.4, 2, 6)),
    ],
)
def test_parts(point, where, expected):
    found = by_codec(latencies(points(), MBIT))[point]
    assert (found.where, parts(found)) == (where, expected)
    assert found.total_ms == pytest.approx(sum(expected))


def test_a_bound_on_the_rate_has_no_latency():
    assert "entropy" not in set(latencies(points(), MBIT)["codec"])


def test_round_trip_and_a_slower_device():
    """Four times as slow: all on the device, part I and the encoder; 10 ms for what is sent."""
    found = by_codec(latencies(points(), Circumstances({"slow": 1e6}, 0.01, 4.0)))
    assert parts(found["anchor", None]) == (240, 0, 0, 0, 0)
    assert parts(found["jpeg", None]) == (0, 4, 13.2, 2, 15)
    assert parts(found["nnc", 5]) == (40, 16, 10.8, 2, 8)


def test_a_row_a_rate_and_only_the_sending_differs():
    table = latencies(points(), Circumstances({"slow": 1e6, "fast": 1e9}))
    slow, fast = (by_codec(table[table["rate_name"] == name]) for name in ("slow", "fast"))
    assert set(table["rate"]) == {1e6, 1e9} and len(table) == 12
    for key, found in slow.items():
        assert found.total_ms - fast[key].total_ms == pytest.approx(0.999 * found.send_ms)


def test_the_mean_over_the_items():
    ten = points().assign(items=10)
    assert by_codec(latencies(ten, MBIT))["raw", 5].total_ms == pytest.approx(3.4)


def test_all_times_a_thousand_times_as_long():
    times = ["pre_time", "run_time", "post_time", "part1_time", "enc_time", "dec_time"]
    long = points()
    long[times] *= 1000
    before, after = latencies(points(), MBIT), latencies(long, MBIT)
    worked = [name for name in PARTS if name != "send_ms"]
    pd.testing.assert_frame_equal(after[worked], before[worked] * 1000)
    pd.testing.assert_series_equal(after["send_ms"], before["send_ms"])


def items_of(table, factors):
    """Return items of each point whose times and bytes are the point's, times a factor each."""
    scaled = ["pre_time", "run_time", "post_time", "part1_time", "enc_time", "dec_time", "rec_size"]
    rows = []
    for i, factor in enumerate(factors):
        rows.append(table.assign(item=f"i{i}", **{name: table[name] * factor for name in scaled}))
    return pd.concat(rows)


def test_intervals_are_of_the_mean_over_drawn_items():
    """Factors 0 and 2: a mean of two drawn items is 0, 1 or 2 times the point's, each often."""
    table = points()
    total = table.assign(items=1)
    found = latencies(total, MBIT, items_of(table, (0.0, 2.0)))
    for name, factor in zip(ENDS, (0.0, 2.0), strict=True):
        np.testing.assert_allclose(found[name], factor * found[TOTAL])
    same = latencies(total, MBIT, items_of(table, (1.0, 1.0)))
    for name in ENDS:
        np.testing.assert_allclose(same[name], same[TOTAL])


def test_all_on_the_device_was_not_measured_where_part_one_ran_elsewhere():
    table = on_two_providers()
    found = latencies(table, MBIT, items_of(table, (1.0, 2.0)))
    unknown = found[found[WHERE] == "device"][["device_ms", TOTAL, *ENDS]]
    assert len(unknown) == 1 and unknown.isna().all(axis=None)
    assert found[found[WHERE] != "device"][[TOTAL, *ENDS]].notna().all(axis=None)
    same = latencies(table.assign(part1_provider=table["provider"]), MBIT)
    assert by_codec(same)["anchor", None].total_ms == 60


def test_points_that_items_cannot_tell_apart_have_no_interval():
    """A cut at tensors may have the rank of another split."""
    twins = pd.concat([points(), points().iloc[[4]].assign(split_name="at x")])
    found = latencies(twins, MBIT, items_of(twins, (1.0, 2.0)))
    assert found[found[ENDS[0]].isna()]["codec"].tolist() == ["nnc", "nnc"]
    assert set(found[found[ENDS[0]].isna()]["split"]) == {5.0}


def test_a_study_of_weights_has_no_latencies():
    weights = pd.DataFrame([row("nnc", sent="weights", size=10, ms=(1, 2, 3, 4, 5, 6))])
    assert latencies(weights, MBIT, items_of(weights, (1.0,))).empty


@pytest.mark.parametrize("value", [-1.0, np.inf, "x"])
@pytest.mark.parametrize("column", ["run_time", "rec_size", "items"])
def test_what_cannot_have_been_measured_is_refused(column, value):
    table = points()
    table[column] = table[column].astype(object)
    table.loc[4, column] = value
    with pytest.raises(UserError, match=f"^column {column}: holds"):
        latencies(table, MBIT)


def test_a_time_that_is_missing_makes_no_latency():
    table = points()
    table.loc[4, "enc_time"] = np.nan
    assert np.isnan(by_codec(latencies(table, MBIT))["nnc", 5].total_ms)


@pytest.mark.parametrize("column", ["part1_time", "rec_size", "split", "F1"])
def test_a_table_without_a_column_is_refused(column):
    with pytest.raises(UserError, match=f"^no column {column}: not a table of points"):
        latencies(points().drop(columns=column), MBIT, keep=["F1"])


@pytest.mark.parametrize(
    "given",
    [
        ({"a": 0.0},),
        ({"a": -5.0},),
        ({"a": np.nan},),
        ({"a": np.inf},),
        ({"a": 1.0}, -0.1),
        ({"a": 1.0}, np.nan),
        ({"a": 1.0}, 0.0, 0.0),
        ({"a": 1.0}, 0.0, np.inf),
    ],
)
def test_circumstances_that_cannot_be(given):
    with pytest.raises(UserError):
        Circumstances(*given)


def test_columns():
    found = latencies(points(), MBIT, keep=["F1", "isolated"])
    assert {WHERE, "rate_name", "sent_bytes", "F1", "isolated", *PARTS, TOTAL} <= set(found)
    assert found.columns.is_unique

"""How long an item takes from the device's pixels to the prediction, over links of some rates.

With a split, part I and the encoder run on the device, the decoder and part II in the network:

    total = slow-down · (pre + part I + encode) + 8 · bytes / rate + round trip
            + decode + part II + post

(3GPP TR 26.847, clause 5.3.9, whose latency is the middle term alone.) Beside these stand what a
split has to be better than: all on the device, where nothing is sent, and all in the network, where
the item itself is sent as a file and decoded there. Predictions are small: sending them back is in
the round trip.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nnrd.core.errors import UserError
from nnrd.core.links import latency_ms
from nnrd.metrics.bootstrap import LEVEL, Bootstrap, Statistic

PARTS = ("device_ms", "encode_ms", "send_ms", "decode_ms", "network_ms")
TOTAL = "total_ms"
ENDS = ("total_ms_low", "total_ms_high")
BYTES = "sent_bytes"
WHERE = "where"
DEVICE, NETWORK, SPLIT = "device", "network", "split"  # where an item's way goes
ANCHOR, FILES = "anchor", "files"
POINT = ["study", "model", "dataset", "split", "codec", "parameters"]
TIMES = ("pre_time", "run_time", "post_time", "part1_time", "enc_time", "dec_time")
MEASURED = (*TIMES, "rec_size")
LARGEST = 1e18  # of anything in a table
NEEDED = (*POINT, *MEASURED, "items")


@dataclass(frozen=True)
class Circumstances:
    """What is assumed, and not measured.

    ``rates``: of the link, bit/s, by name. ``round_trip``: seconds, once an item that is sent.
    ``device_slowdown``: how many times as long the device takes as the machine that was measured.
    Raises UserError for numbers that no link and no device have.
    """

    rates: Mapping[str, float]
    round_trip: float = 0.0
    device_slowdown: float = 1.0

    def __post_init__(self) -> None:
        for name, rate in self.rates.items():
            if not 0 < rate < np.inf:
                raise UserError(f"rate {name}: {rate:g} bit/s is no rate of a link")
        if not 0 <= self.round_trip < np.inf:
            raise UserError(f"round trip: {self.round_trip:g} s is no duration")
        if not 0 < self.device_slowdown < np.inf:
            raise UserError(f"device slow-down: {self.device_slowdown:g} is not above 0")


def where(points: pd.DataFrame) -> pd.Series:
    """Return of each point where its items are worked on; missing where that is not known.

    ``device``: all on the device, which is the anchor; ``network``: sent as a file; ``split``.
    """
    found = pd.Series(pd.NA, index=points.index, dtype="object")
    found[points["split"].notna()] = SPLIT
    found[points["codec"] == ANCHOR] = DEVICE
    if "sent" in points:
        found[points["sent"] == FILES] = NETWORK
    return found


def latencies(
    points: pd.DataFrame,
    given: Circumstances,
    items: pd.DataFrame | None = None,
    keep: Sequence[str] = (),
) -> pd.DataFrame:
    """Return a row for each point and rate: what an item takes, in ms, the mean over the items.

    ``points`` and ``items`` are tables as `nnrd.report.tables` makes them; columns ``keep`` of the
    points are kept beside those that tell them apart. Columns: ``where``, ``rate_name``, ``rate``
    (bit/s), ``sent_bytes`` (an item), `PARTS`, their sum ``total_ms``, and, with ``items``,
    ``total_ms_low`` and ``total_ms_high``, its 95 % bootstrap interval over the items, all points
    on the same draws. Where the whole model ran on another provider than part I (column
    ``part1_provider``), all on the device was not measured: its times are empty. Points
    without an inference (bounds on the rate), and those whose items neither are split nor sent,
    have no latency and no row. Raises UserError for a table that lacks what is needed.
    """
    points = _checked(points, (*NEEDED, *keep))
    points = points.assign(**{WHERE: where(points)})
    points = points[points[WHERE].notna() & points["run_time"].notna() & (points["items"] > 0)]
    labels = list(dict.fromkeys([*POINT, WHERE, *keep, "items", "rec_size"]))
    parts = _per_item(points, points["items"], points[WHERE], given)
    parts["device_ms"] = parts["device_ms"].mask(_ran_elsewhere(points))
    base = pd.concat([points[labels], parts], axis=1)
    ends = _Ends(points, items, given) if items is not None else None
    rows = [base.assign(rate_name=n, **_sent(base, r, given)) for n, r in given.rates.items()]
    for frame in rows:
        frame[TOTAL] = frame[list(PARTS)].sum(axis=1, skipna=False)
        if ends is not None:
            frame[list(ENDS)] = ends.at(float(frame["rate"].iloc[0])) if len(frame) else np.nan
            frame.loc[frame[TOTAL].isna(), list(ENDS)] = np.nan
    made = [WHERE, "rate_name", "rate", BYTES, *PARTS, TOTAL, *(ENDS if ends is not None else ())]
    order = [*(label for label in labels if label != WHERE), *made]
    return pd.concat(rows, ignore_index=True)[order] if rows else pd.DataFrame(columns=order)


def _ran_elsewhere(points: pd.DataFrame) -> pd.Series:
    """Say of whole models on the device whether they ran elsewhere than the study's part I."""
    if not {"provider", "part1_provider"} <= set(points):
        return pd.Series(False, points.index)
    device = points[points[WHERE] == SPLIT].groupby("study")["part1_provider"].first()
    expected = points["study"].map(device)
    return (points[WHERE] == DEVICE) & expected.notna() & (expected != points["provider"])


def _checked(table: pd.DataFrame, needed: Sequence[str]) -> pd.DataFrame:
    """Return a table with numbers where numbers have to be; UserError where there are none."""
    for column in needed:
        if column not in table:
            raise UserError(f"no column {column}: not a table of points of nnrd")
    table = table.copy()
    for column in ("split", "items", *MEASURED):
        if column in table:
            try:
                table[column] = pd.to_numeric(table[column]).astype(float)
            except (ValueError, TypeError):
                raise UserError(f"column {column}: holds something that is no number") from None
            if (table[column] < 0).any() or (table[column] > LARGEST).any():
                raise UserError(f"column {column}: holds a number below 0 or beyond all measure")
    return table


def _per_item(
    measured: pd.DataFrame, items: pd.Series | float, place: pd.Series, given: Circumstances
) -> pd.DataFrame:
    """Return `PARTS` but for what is sent, in ms, and the bytes, each divided by ``items``."""
    ms = {name: 1e3 * measured[name] / items for name in TIMES}
    slow = given.device_slowdown
    part1 = ms["part1_time"].where(place == SPLIT, 0.0)
    on_device = (ms["pre_time"] + part1).where(place == SPLIT, 0.0)
    rest = ms["run_time"] - part1 + ms["post_time"]
    whole = ms["pre_time"] + rest
    sends = place != DEVICE
    return pd.DataFrame(
        {
            "device_ms": slow * whole.where(place == DEVICE, on_device),
            "encode_ms": slow * ms["enc_time"].where(sends, 0.0),
            "decode_ms": ms["dec_time"].where(sends, 0.0),
            "network_ms": rest.where(place == SPLIT, whole).where(sends, 0.0),
            BYTES: (measured["rec_size"] / items).where(sends, 0.0),
        }
    )


def _sent(base: pd.DataFrame, rate: float, given: Circumstances) -> dict[str, object]:
    round_trip = 1e3 * given.round_trip * (base[WHERE] != DEVICE)
    return {"rate": float(rate), "send_ms": latency_ms(base[BYTES], rate) + round_trip}


class _Ends:
    """The ends of the intervals of ``total_ms``, for any rate."""

    def __init__(self, points: pd.DataFrame, items: pd.DataFrame, given: Circumstances) -> None:
        items = _checked(items, (*POINT, "item", *MEASURED))
        keys = _keys(points)
        twice = keys.duplicated(keep=False)  # items do not say of which of the two they are
        places = pd.Series(points[WHERE].to_numpy(), index=keys).loc[~twice.to_numpy()]
        place = _keys(items).map(places)
        items, place = items[place.notna()], place[place.notna()]
        parts = _per_item(items, 1.0, place, given)
        fixed = parts.drop(columns=BYTES).sum(axis=1, skipna=False)
        fixed += 1e3 * given.round_trip * (place != DEVICE)
        self.order = keys
        self.draws: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        frame = pd.DataFrame(
            {"key": _keys(items), "item": items["item"], "fixed": fixed, "bytes": parts[BYTES]}
        )
        for _, group in frame.groupby(items["study"], sort=False):
            self._draw(group.drop_duplicates(["key", "item"]))

    def _draw(self, group: pd.DataFrame) -> None:
        """Draw the items of a study, the same ones for all of its points."""
        tables = [group.pivot(index="item", columns="key", values=n) for n in ("fixed", "bytes")]
        bootstrap = Bootstrap(range(len(tables[0])))
        drawn = [bootstrap.draws(_mean_of(table.to_numpy(dtype=float))) for table in tables]
        for i, key in enumerate(tables[0].columns):
            self.draws[key] = (drawn[0][:, i], drawn[1][:, i])

    def at(self, rate: float) -> np.ndarray:
        """Return low and high of each point, float64 (points, 2); nan where it has no items."""
        return np.array([self._interval(key, rate) for key in self.order]).reshape(-1, 2)

    def _interval(self, key: str, rate: float) -> tuple[float, float]:
        if key not in self.draws:
            return float("nan"), float("nan")
        fixed, size = self.draws[key]
        ends = np.percentile(fixed + latency_ms(size, rate), [50 - LEVEL / 2, 50 + LEVEL / 2])
        return float(ends[0]), float(ends[1])


def _mean_of(values: np.ndarray) -> Statistic:
    """Return the mean over the drawn items of each column."""
    return lambda weights: weights @ values / len(values)


def _keys(table: pd.DataFrame) -> pd.Series:
    """Return what tells a table's points apart as text; a rank is the same as 3 and as 3.0."""
    split = pd.to_numeric(table["split"]).astype(float).fillna(-1).astype(str)
    others = [table[name].astype(str) for name in POINT if name != "split"]
    return others[0].str.cat([*others[1:], split], sep="\n")

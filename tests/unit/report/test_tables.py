"""Tables of points: what stands in an anchor's row."""

import io

import pytest

from nnrd.report import tables
from nnrd.report.records import ANCHOR_SIZES

ANCHOR = {
    "task": "classification", "model": "m", "dataset": "d", "codec": "anchor", "parameters": {},
    "anc_size": None, "rec_size": None, "compress_ratio": None, "input_size": 96, "model_size": 400,
}  # fmt: skip
POINT = ANCHOR | {"codec": "nnc", "anc_size": 50, "rec_size": 5, "compress_ratio": 0.1}


@pytest.mark.parametrize(("sent", "size"), [("input_size", 96), ("model_size", 400)])
def test_an_anchor_sends_its_input_or_its_model_as_they_are(sent, size):
    records = [{"point": point, "items": []} for point in (ANCHOR, POINT)]
    rows = [tables.point_row("s", record, sent) for record in records]
    columns = ["anc_size", "rec_size", "compress_ratio"]
    assert [[row[name] for name in columns] for row in rows] == [[size, size, 1.0], [50, 5, 0.1]]
    assert not any(set(ANCHOR_SIZES) & set(row) for row in rows)


def test_an_anchors_items_have_the_sizes_that_are_theirs():
    record = {"point": ANCHOR, "items": [{"item": "a", "input_size": 96, "top1": 100.0}]}
    for sent, sizes in (("input_size", [96]), ("model_size", [])):
        (row,) = tables.item_rows("s", record, sent)
        assert [row[name] for name in ("anc_size", "rec_size") if name in row] == 2 * sizes
        assert (row["study"], row["item"], row["top1"]) == ("s", "a", 100)
        assert not set(ANCHOR_SIZES) & set(row)


VALUES = {
    "a whole number": (1_234_567, "1234567"),
    "a size, by whatever mean": (1_234_567.0, "1234567"),
    "six digits": (1_234_567.5, "1.23457e+06"),
    "a mean of counts": (2.5, "2.5"),
    "nothing": (None, ""),
    "not a number": (float("nan"), ""),
    "a switch": (False, "False"),
    "text": ('{"qp":-38}', '"{""qp"":-38}"'),
}


@pytest.mark.parametrize(("value", "text"), VALUES.values(), ids=VALUES)
def test_values_are_written(value, text):
    file, table = io.StringIO(), tables.Table(["study"])
    table.see([{"study": "s"}, {"study": "s", "rec_size": value}])
    write = table.writer(file, counts={"rec_size"})
    write({"study": "s", "rec_size": value})
    write({"rec_size": value})
    assert file.getvalue() == f"study,rec_size\ns,{text}\n,{text}\n"


def test_what_was_measured_has_six_digits_where_it_is_no_count():
    file, table = io.StringIO(), tables.Table(["x"])
    table.writer(file, counts=())({"x": 1_234_567.0})
    assert file.getvalue() == "x\n1.23457e+06\n"

"""Tables of points: what stands in an anchor's row."""

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
    table = tables.points("s", records, sent)
    columns = ["anc_size", "rec_size", "compress_ratio"]
    assert table[columns].to_numpy().tolist() == [[size, size, 1.0], [50, 5, 0.1]]
    assert not set(ANCHOR_SIZES) & set(table.columns)


def test_an_anchors_items_have_the_sizes_that_are_theirs():
    records = [{"point": ANCHOR, "items": [{"item": "a", "input_size": 96, "top1": 100.0}]}]
    for sent, sizes in (("input_size", [96]), ("model_size", [])):
        row = tables.item_table("s", records, sent).iloc[0]
        assert [row[name] for name in ("anc_size", "rec_size") if name in row] == 2 * sizes
        assert (row["study"], row["item"], row["top1"]) == ("s", "a", 100)
        assert not set(ANCHOR_SIZES) & set(row.index)

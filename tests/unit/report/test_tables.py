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

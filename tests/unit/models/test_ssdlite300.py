"""SSDLite300's pipeline around a graph that is not its own."""

import numpy as np
import pytest
from model_rows import MODELS, pipeline

from nnrd import UserError
from nnrd.datasets.index import Item

ROW = MODELS["ssdlite300_mobilenet_v2"]
ITEM = Item("a", "a.png", "", {"width": 40, "height": 20})


def outputs(boxes=(1, 1917, 4), logits=(1, 1917, 91)):
    return {"boxes": np.zeros(boxes, np.float32), "logits": np.full(logits, -9, np.float32)}


def test_one_that_is():
    given = outputs()
    given["logits"][0, 5, 3] = 3
    (found,) = pipeline(ROW).postprocess(given, ITEM)["detections"]
    assert found["category_id"] == 3 and found["score"] == pytest.approx(0.9526, abs=1e-4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (outputs(boxes=(1, 3000, 4)), "output 'boxes' is 1x3000x4; .* takes 1x1917x4"),
        (outputs(logits=(1, 1917, 81)), "output 'logits' is 1x1917x81; .* takes 1x1917x91"),
        ({"output": np.zeros(3)}, "the graph has no output 'boxes'; it has output"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused_in_one_line(given, message):
    with pytest.raises(UserError, match=message) as caught:
        pipeline(ROW).postprocess(given, ITEM)
    assert "\n" not in str(caught.value)

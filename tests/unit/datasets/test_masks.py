"""Masks as COCO's run lengths: as pycocotools writes and reads them, whatever is read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as reference

from nnrd import UserError
from nnrd.datasets import masks

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@st.composite
def some_masks(draw):
    height, width = draw(SIZES)
    share, seed = draw(st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0])), draw(st.integers(0, 999))
    return np.random.default_rng(seed).random((height, width)) < share


@given(some_masks())
def test_as_pycocotools_has_it(mask):
    found = masks.encode(mask)
    theirs = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert found == {"size": list(mask.shape), "counts": theirs["counts"].decode()}
    assert (masks.decode(found) == mask).all()


def test_long_runs():
    mask = np.zeros((700, 900), bool)
    mask[100:600, 3:880] = True
    found = masks.encode(mask)
    assert (reference.decode(found) == mask).all() and (masks.decode(found) == mask).all()


@given(st.text(st.characters(max_codepoint=300), max_size=12))
def test_whatever_is_read_is_a_mask_or_refused_in_a_line(counts):
    try:
        assert masks.decode({"size": [3, 4], "counts": counts}).shape == (3, 4)
    except UserError as error:
        assert str(error).startswith("segmentation: ") and "\n" not in str(error)


def test_a_mask_of_nothing():
    assert not masks.decode({"size": [3, 4], "counts": "<"}).any()  # a run of twelve zeros


@pytest.mark.parametrize(
    ("size", "counts", "said"),
    [
        ([3, 4], "", "its runs are not the pixels of 4x3"),
        ([3, 4], "=", "a run of 13 pixels, of 12"),
        ([3, 4], "O", "a run of -1 pixels, of 12"),
        ([3, 4], "o" * 40, "counts: 'o' is not COCO's"),
        ([3, 4], "\x00", "is not COCO's"),
        ([3, 4], None, "is not COCO's: a size"),
        ([3], "<", "is not COCO's: a size"),
        ([3, 4.0], "<", "is not COCO's: a size"),
        ([0, 4], "<", "is not COCO's: a size"),
        ([1 << 20, 1 << 20], "<", "is not COCO's: a size"),
        (None, "<", "is not COCO's: a size"),
    ],
)
def test_what_is_no_mask(size, counts, said):
    with pytest.raises(UserError) as caught:
        masks.decode({"size": size, "counts": counts})
    assert said in str(caught.value) and "\n" not in str(caught.value)

"""Paths are a pure function of the point, and parameters come back from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnrd.study import paths
from nnrd.study.points import (
    Anchor,
    Operation,
    Selection,
    Split,
    combinations,
    fits_a_path,
    parse,
    slug,
)

values = st.one_of(
    st.integers(-4096, 4095), st.booleans(), st.sampled_from(["exact", "a-b", "x.y"])
)
names = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@given(st.dictionaries(names, values, max_size=5))
def test_parameters_come_back_from_their_path(parameters):
    assert all(map(fits_a_path, parameters.values()))
    assert parse(slug(parameters)) == parameters
    assert "/" not in slug(parameters)


@pytest.mark.parametrize("value", ["a/b", "", "true", "1", "a,b", "a=b", None, [1], {"a": 1}, "~"])
def test_values_that_would_not_come_back_are_refused(value):
    assert not fits_a_path(value)


def test_parameters_have_one_path_whatever_their_order():
    assert slug({"qp": -38, "use_dq": True}) == slug({"use_dq": True, "qp": -38})
    assert slug({"use_dq": True, "qp": -38}) == "qp=-38,use_dq=true"


@pytest.mark.parametrize(
    ("split", "name"),
    [
        (Split(rank=10), "rank10"),
        (Split(name="node_add_4"), "before-node_add_4"),
        (
            Split(name="/layer1/layer1.0/relu/Relu", where="after"),
            "after-layer1_layer1.0_relu_Relu",
        ),
    ],
)
def test_split_has_a_name_for_paths(split, name):
    assert split.id == name


def test_folders():
    assert Anchor("m", Selection("d", 3), "onnx").folder == "anchor/m/d/onnx"
    assert Anchor("m", Selection("d", 3, items=3), "torch").folder == "anchor/m/d-3/torch"
    assert Operation("nnc", {"qp": -4}).id == "nnc/qp=-4"
    assert Operation("raw").id == "raw/default"
    assert paths.fill(paths.FEATURES, model="m", data="d", split="rank3") == "features/m/d/rank3"


@pytest.mark.parametrize(
    ("items", "size", "count"), [(1, 50, 1), (50, 50, 1), (51, 50, 2), (5000, 50, 100)]
)
def test_shards(items, size, count):
    names = Selection("d", items, shard_size=size).shards
    assert len(names) == count and names[-1] == f"{count - 1}-of-{count}"


def test_another_number_of_items_is_another_selection():
    """So a study of fewer items does not make another's results anew."""
    ids = [Selection("d", 40, items=40).id, Selection("d", 41, items=41).id, Selection("d", 99).id]
    assert ids == ["d-40", "d-41", "d"]


def test_another_seed_is_another_selection():
    assert Selection("d", 40, items=40, seed=3).id == "d-40-seed3"
    assert Selection("d", 40, seed=3).id == "d"  # all are all


def test_combinations_keep_the_lists_order():
    found = combinations({"qp": [-38, 0], "use_dq": True})
    assert found == [{"qp": -38, "use_dq": True}, {"qp": 0, "use_dq": True}]

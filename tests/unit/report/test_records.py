"""Records: what was measured of a point, gathered from the files of its steps."""

from nnrd.report import records


def step(*rows, **more):
    return {"rows": list(rows), "threads": 1, "isolated": False, "provider": "cpu"} | more


def test_a_models_weights_are_one_item_however_many_shards_decode_them():
    """Two shards each decoded the same weights; four utterances were evaluated."""
    inferred = records.merge(
        step(
            {"item": "weights", "dec_time": seconds},
            {"item": f"a{shard}", "eval_time": 1.0},
            {"item": f"b{shard}", "eval_time": 2.0},
        )
        for shard, seconds in enumerate((3.0, 5.0))
    )
    encoded = step({"item": "weights", "anc_size": 400, "rec_size": 40, "enc_time": 9.0})
    steps = {"source": step({"item": "weights"}), "encoded": encoded, "inferred": inferred}
    found = records.measured(steps)
    assert (found["dec_time"], found["rec_eval_time"], found["items"]) == (4.0, 6.0, 4)
    assert (found["rec_size"], found["compress_ratio"]) == (40, 0.1)
    scores = [{"item": item, "WER": 0.0} for item in ("a0", "b0", "a1", "b1")]
    rows = records.items(scores, steps)
    assert [row["item"] for row in rows] == ["a0", "b0", "a1", "b1"]
    assert rows[1] == {"item": "b0", "eval_time": 2.0, "WER": 0.0}


def test_features_have_a_bundle_an_item():
    rows = [{"item": item, "anc_size": 10, "rec_size": 2, "enc_time": 1.0} for item in "ab"]
    done = [{"item": item, "dec_time": 0.5, "eval_time": 2.0} for item in "ab"]
    steps = {"source": None, "encoded": step(*rows), "inferred": step(*done)}
    found = records.measured(steps)
    assert (found["anc_size"], found["rec_size"], found["dec_time"]) == (20, 4, 1.0)
    assert found["part1_time"] is None
    assert records.items([{"item": "a", "AP": 1.0}], steps)[0]["rec_size"] == 2

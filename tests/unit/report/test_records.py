"""Records: what was measured of a point, gathered from the files of its steps."""

import pytest

from nnrd import UserError
from nnrd.report import records

TIMES = {"pre_time": 0.25, "run_time": 1.0, "post_time": 0.5}


def step(*rows, **more):
    how = {"threads": 1, "isolated": False, "provider": "cpu", "precision": "float32"}
    return {"rows": list(rows)} | how | more


def test_a_models_weights_are_decoded_once_however_many_shards_there_are():
    """By a step of its own, with threads of its own; four utterances were evaluated."""
    inferred = step()
    for shard in range(2):
        inferred["rows"] += [
            {"item": f"a{shard}"} | TIMES,
            {"item": f"b{shard}"} | TIMES | {"run_time": 2.0},
        ]
    coded = {"item": "weights", "anc_size": 400, "rec_size": 40, "enc_time": 9.0}
    decoded = step({"item": "weights", "dec_time": 3.0}, threads=2)
    steps = {"source": step({"item": "weights"}), "encoded": step(coded, threads=4)}
    steps |= {"decoded": decoded, "inferred": inferred}
    found = records.measured(steps)
    assert (found["dec_time"], found["run_time"], found["items"]) == (3.0, 6.0, 4)
    assert (found["pre_time"], found["post_time"], found["rec_eval_time"]) == (1.0, 2.0, 9.0)
    assert (found["rec_size"], found["compress_ratio"]) == (40, 0.1)
    assert [found[n] for n in ("threads", "enc_threads", "dec_threads")] == [1, 4, 2]
    scores = [{"item": item, "WER": 0.0} for item in ("a0", "b0", "a1", "b1")]
    rows = records.items(scores, steps)
    assert [row["item"] for row in rows] == ["a0", "b0", "a1", "b1"]
    assert rows[1] == {"item": "b0", "WER": 0.0} | TIMES | {"run_time": 2.0}


def test_what_several_shards_say_of_the_whole_model_counts_once():
    assert records.total(step(*[{"item": "weights", "size": 40}] * 3), "size") == 40


def test_features_have_a_bundle_an_item():
    """Both parts' times add up, and part I's share of the run is told."""
    rows = [{"item": item, "anc_size": 10, "rec_size": 2, "enc_time": 1.0} for item in "ab"]
    source = [{"item": item, "pre_time": 0.25, "run_time": 4.0, "checksum": "0"} for item in "ab"]
    done = [{"item": i, "dec_time": 0.5, "run_time": 2.0, "post_time": 0.125} for i in "ab"]
    steps = {"source": step(*source), "encoded": step(*rows), "inferred": step(*done)}
    found = records.measured(steps)
    assert (found["anc_size"], found["rec_size"], found["dec_time"]) == (20, 4, 1.0)
    assert (found["pre_time"], found["run_time"], found["post_time"]) == (0.5, 12.0, 0.25)
    assert (found["part1_time"], found["rec_eval_time"], found["items"]) == (8.0, 12.75, 2)
    (row,) = records.items([{"item": "a", "AP": 1.0}], steps)
    assert row == {
        "item": "a", "AP": 1.0, "anc_size": 10, "rec_size": 2, "enc_time": 1.0, "dec_time": 0.5,
        "pre_time": 0.25, "run_time": 6.0, "post_time": 0.125, "part1_time": 4.0,
    }  # fmt: skip


def test_an_anchor_has_neither_source_nor_bitstream():
    inferred = step({"item": "a"} | TIMES, threads=2, isolated=True)
    found = records.measured({"source": None, "encoded": None, "inferred": inferred})
    assert found["part1_time"] is found["enc_time"] is found["compress_ratio"] is None
    assert found["rec_eval_time"] == 1.75
    assert (found["threads"], found["isolated"], found["provider"]) == (2, True, "cpu")
    assert found["number_format"] == "float32"
    with pytest.raises(UserError, match="needs the times of the inference"):
        records.measured({"source": None, "encoded": None, "inferred": None})


def test_an_anchor_has_the_sizes_of_what_is_sent_uncompressed():
    """Items' inputs add up; the model is one, however many shards looked at it."""
    rows = [{"item": "weights", "model_size": 400}, {"item": "a", "input_size": 12} | TIMES]
    rows += [{"item": "weights", "model_size": 400}, {"item": "b", "input_size": 20} | TIMES]
    found = records.measured({"source": None, "encoded": None, "inferred": step(*rows)})
    assert (found["input_size"], found["model_size"], found["items"]) == (32, 400, 2)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"provider": "CUDAExecutionProvider"}, "part II ran on cpu, part I on CUDAExec"),
        ({"precision": "tf32"}, "part II ran on float32, part I on tf32"),
    ],
)
def test_parts_on_two_devices_are_no_point(other, named):
    row = {"item": "a"} | TIMES
    steps = {"source": step(row, **other), "encoded": step(), "inferred": step(row)}
    with pytest.raises(UserError, match=named):
        records.measured(steps)


def test_parts_that_were_asked_for_on_two_devices_are_a_point():
    given = {"encoded": step({"item": "a", "anc_size": 1, "rec_size": 1, "enc_time": 1.0})}
    given["source"] = step({"item": "a", "run_time": 4.0}, asked="cpu")
    cuda = {"provider": "CUDAExecutionProvider", "precision": "tf32"}
    done = {"item": "a", "dec_time": 0.5, "run_time": 2.0, "post_time": 1.0}
    found = records.measured(given | {"inferred": step(done, asked="cuda", **cuda)})
    names = ("part1_provider", "part1_number_format", "provider", "number_format")
    assert [found[name] for name in names] == ["cpu", "float32", *cuda.values()]
    with pytest.raises(UserError, match="part II ran on CUDAExec"):  # both were asked for on one
        records.measured(given | {"inferred": step(done, asked="cpu", **cuda)})


def test_items_that_are_sent_as_files_have_sizes_and_times_of_coding():
    sent = {"anc_size": 100, "rec_size": 7, "enc_time": 0.5, "dec_time": 0.25}
    inferred = step({"item": "a"} | TIMES | sent, {"item": "b"} | TIMES | sent)
    found = records.measured({"source": None, "encoded": None, "inferred": inferred})
    assert (found["anc_size"], found["rec_size"], found["compress_ratio"]) == (200, 14, 0.07)
    assert (found["enc_time"], found["dec_time"], found["run_time"]) == (1.0, 0.5, 2.0)


def test_weights_have_their_size_against_the_published_files():
    """Whisper's file is float16: a third of the float32 tensors is two thirds of it."""
    encoded = step({"item": "weights", "anc_size": 900, "rec_size": 300, "enc_time": 1.0})
    source = step({"item": "weights", "published_size": 450})
    steps = {"source": source, "encoded": encoded, "inferred": step({"item": "a"} | TIMES)}
    found = records.measured(steps)
    assert (found["published_size"], found["published_ratio"]) == (450, pytest.approx(2 / 3))
    assert "published_size" not in records.measured(steps | {"source": step({"item": "weights"})})

"""Recordings, their transcripts, and word error rates."""

import gzip
import json

import numpy as np
import pytest
import soundfile

from nnrd import UserError, tasks
from nnrd.datasets import audio as speech
from nnrd.datasets import formats
from nnrd.metrics import normaliser
from nnrd.metrics import words as word_errors
from nnrd.metrics.words import Errors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Please press 1, or 42 & 300!", "please press one or forty two and three hundred"),
        ("Dial 8500; it's 28.8", "dial eight five zero zero it's twenty eight eight"),
        ("1,234 callers", "one two three four callers"),
        ("117 and 007", "one hundred seventeen and zero zero seven"),
        ("“Waldo’s” 'quoted' non-administrator", "waldo's quoted non administrator"),
        ("HE SAID 'TIS", "he said tis"),
        ("50%", "fifty percent"),
        (" … ", ""),
    ],
)
def test_normalised(text, expected):
    assert normaliser.normalise(text) == expected
    assert normaliser.normalise(expected) == expected


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("a b c", "a b c", Errors(0, 0, 0, 3)),
        ("a b c", "", Errors(0, 3, 0, 3)),
        ("a b c", "a x c", Errors(1, 0, 0, 3)),
        ("a b c", "a c", Errors(0, 1, 0, 3)),
        ("a b", "a b c d e", Errors(0, 0, 3, 2)),
    ],
)
def test_word_errors(reference, hypothesis, expected):
    assert word_errors.words(reference, hypothesis) == expected


def test_rate_is_over_the_corpus_and_may_exceed_100():
    assert word_errors.rate([Errors(1, 0, 0, 1), Errors(0, 0, 0, 9)]) == pytest.approx(10)
    assert word_errors.rate([Errors(0, 0, 30, 10)]) == pytest.approx(300)


def test_intervals():
    rng = np.random.default_rng(1)
    errors = [Errors(int(n), 0, 0, 10) for n in rng.integers(0, 4, 200)]
    low, high = word_errors.interval(errors)
    assert low < word_errors.rate(errors) < high
    assert high - low < 6
    assert word_errors.interval(errors) == (low, high)  # seeded
    assert word_errors.interval(errors, errors) == (0, 0)  # paired: no difference, no doubt
    worse = [e._replace(insertions=1) for e in errors]
    assert word_errors.interval(worse, errors) == pytest.approx((10, 10))


def prediction(item, text):
    return {"item": item, "text": text}


def test_asr_score():
    asr = tasks.find("asr")
    truth = {"a": "Press 1, please.", "b": "Good bye"}
    anchor = [prediction("a", "press one please"), prediction("b", "good bye")]
    ours = [prediction("a", "Press won"), prediction("b", "good bye bye")]
    metrics, rows = asr.score(truth, anchor, ours)
    assert (asr.METRIC, asr.HIGHER_IS_BETTER) == ("WER", False)
    assert metrics["WER"] == pytest.approx(100 * 3 / 5)
    counted = {key: metrics[key] for key in ("substitutions", "deletions", "insertions", "words")}
    assert counted == {"substitutions": 1, "deletions": 1, "insertions": 1, "words": 5}
    assert metrics["WER_low"] <= metrics["WER"] <= metrics["WER_high"]
    assert metrics["WER_difference_low"] >= 0
    assert metrics["normaliser"] == normaliser.NAME
    assert [row["item"] for row in rows] == ["a", "b"]
    assert asr.score(truth, anchor, anchor)[0]["WER"] == 0


@pytest.mark.parametrize(
    ("truth", "message"), [({}, "a: has no transcript"), ({"a": "…"}, "has no words")]
)
def test_asr_without_truth(truth, message):
    with pytest.raises(UserError, match=message):
        tasks.find("asr").score(truth, [prediction("a", "x")], [prediction("a", "x")])


def tone(path, seconds=1.0, rate=16000, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.1 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    soundfile.write(path, np.stack([wave] * channels, axis=1), rate)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (8000, 1), (44100, 2)])
def test_read_resamples_and_mixes(tmp_path, suffix, rate, channels):
    wave = speech.read(tone(tmp_path / f"a.{suffix}", 1.5, rate, channels))
    assert (wave.dtype, wave.shape) == (np.float32, (24000,))
    middle = wave[4000:20000]
    assert np.sqrt((middle**2).mean()) == pytest.approx(0.1 / np.sqrt(2), rel=0.01)


def write_bytes(path, data):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "none.wav", "no such recording"),
        (lambda folder: write_bytes(folder / "a.wav", b"RIFF, it says"), "not an audio file"),
        (lambda folder: write_bytes(folder / "a.flac", b""), "not an audio file"),
        (lambda folder: tone(folder / "a.wav", 0), "the recording is empty"),
    ],
)
def test_unreadable_recordings(tmp_path, make, message):
    path = make(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        speech.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_samples_that_are_not_finite(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([0, np.nan]), 16000, subtype="FLOAT")
    with pytest.raises(UserError, match="not finite"):
        speech.read(tmp_path / "a.wav")


def transcripts(folder, rows, header="file\ttext"):
    table = folder / "transcripts.tsv"
    table.write_text("\n".join([header, *rows]) + "\n")
    return table


def test_transcripts(tmp_path, capsys):
    tone(tmp_path / "x/b.wav", rate=8000)
    tone(tmp_path / "a.wav", 2)
    table = transcripts(tmp_path, ["x/b.wav\tTwo words", "a.wav\tOne"])
    rows = formats.find("transcripts").index(table, tmp_path)
    assert [(row["name"], row["text"]) for row in rows] == [("x-b", "Two words"), ("a", "One")]
    assert [(row["seconds"], row["sample_rate"]) for row in rows] == [(1, 8000), (2, 16000)]
    assert capsys.readouterr().err.count("resampled") == 1
    assert len(formats.find("transcripts").index(table, tmp_path, 1)) == 1
    asr = tasks.find("asr")
    (tmp_path / "index.json").write_text(json.dumps(rows))
    assert asr.truth(tmp_path / "index.json", table) == {"x-b": "Two words", "a": "One"}


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (["a.wav\tHello"], "path\ttext", "columns must be file, text"),
        (["a.wav\tHello\tthere"], "file\ttext", "columns must be"),
        (["a.wav\tHello"], "file\ttext", "b.wav: has no transcript"),
        (["a.wav\tHello", "b.wav\t "], "file\ttext", "b: the transcript is empty"),
        (["a.wav\tHello", "b.wav\tx", "c.wav\tx"], "file\ttext", "c.wav: no such recording"),
        (["a.wav\tHello", "b.wav\tx", "a.wav\tx"], "file\ttext", "two recordings are called a"),
        ([], "file\ttext", "no recordings"),
    ],
)
def test_transcripts_that_are_wrong(tmp_path, rows, header, message):
    tone(tmp_path / "a.wav")
    tone(tmp_path / "b.wav")
    with pytest.raises(UserError, match=message):
        formats.find("transcripts").index(transcripts(tmp_path, rows, header), tmp_path)


def test_librispeech(tmp_path):
    for name in ("84-121123-0000", "84-121123-0001"):
        tone(tmp_path / f"84/121123/{name}.flac")
    listed = tmp_path / "84/121123/84-121123.trans.txt"
    listed.write_text("84-121123-0000 GO\n84-121123-0001 DO YOU\n")
    rows = formats.find("librispeech").index(tmp_path, tmp_path)
    assert [row["text"] for row in rows] == ["GO", "DO YOU"]
    listed.write_text("84-121123-0000 GO\n")
    with pytest.raises(UserError, match=r"0001.flac: has no transcript"):
        formats.find("librispeech").index(tmp_path, tmp_path)
    listed.unlink()
    with pytest.raises(UserError, match=r"no .*trans.txt"):
        formats.find("librispeech").index(tmp_path, tmp_path)


def test_asterisk(tmp_path):
    lines = {
        "long": "Please enter your number followed by 5.",
        "dictate/long": "Press 0 for help, or wait.",
        "short": "Thank you.",
        "noise": "[the sound of four words]",
        "star": "press * to toggle the pause",
        "brief": "Said very fast indeed",
        "absent": "This is not recorded here",
    }
    for name in set(lines) - {"absent"}:
        tone(tmp_path / f"sounds/{name}.wav", 0.5 if name == "brief" else 2, 8000)
    text = "; a comment: of four words\n\n" + "\n".join(f"{k}: {v}" for k, v in lines.items())
    listed = tmp_path / "list.txt.gz"
    listed.write_bytes(gzip.compress(text.encode()))
    rows = formats.find("asterisk").index(listed, tmp_path)
    assert [row["name"] for row in rows] == ["dictate-long", "long"]
    listed.write_bytes(b"no gzip")
    with pytest.raises(UserError, match="not a gzip file"):
        formats.find("asterisk").index(listed, tmp_path)

"""Recordings and their transcripts."""

import gzip

import numpy as np
import pytest
import soundfile

from nnrd import UserError
from nnrd.core.files import write_record
from nnrd.datasets import audio as speech
from nnrd.datasets import index as datasets
from nnrd.datasets.formats import REGISTRY
from nnrd.datasets.index import EVERYTHING, Draw


def index(name, annotations, folder, draw=EVERYTHING):
    return REGISTRY.get(name)().index(annotations, folder, draw)


def tone(path, seconds=1.0, rate=16000, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.1 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    soundfile.write(path, np.stack([wave] * channels, axis=1), rate)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize(
    ("rate", "channels"), [(16000, 1), (8000, 1), (44100, 2), (96000, 1), (48000, 8), (96000, 8)]
)
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


@pytest.mark.fault("hostile: samples")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite(tmp_path, value):
    soundfile.write(tmp_path / "a.wav", np.array([0, value]), 16000, subtype="FLOAT")
    with pytest.raises(UserError, match="not finite"):
        speech.read(tmp_path / "a.wav")


def claiming(path, seconds):
    """Write a second of sound whose header claims another length."""
    data = bytearray(tone(path).read_bytes())
    if path.suffix == ".wav":
        place = data.index(b"data") + 4
        data[place : place + 4] = (int(seconds * 16000) * 2).to_bytes(4, "little")
    else:  # the last 36 bits of 8 bytes in STREAMINFO count the samples
        word = int.from_bytes(data[18:26]) >> 36 << 36
        data[18:26] = (word | int(seconds * 16000)).to_bytes(8)
    return write_bytes(path, data)


def cut(path, share=0.6):
    data = tone(path).read_bytes()
    return write_bytes(path, data[: int(len(data) * share)])


SHORT = "the recording is cut short"
CHANGES = [
    (lambda f: cut(f / "a.wav"), SHORT),
    (lambda f: cut(f / "a.flac"), SHORT),
    (lambda f: cut(f / "a.aiff"), SHORT),
    (lambda f: cut(f / "a.au"), SHORT),
    (lambda f: cut(f / "a.w64"), SHORT),
    (lambda f: cut(f / "a.rf64"), SHORT),
    (lambda f: cut(f / "a.ogg"), "not an audio file|cut short"),
    (lambda f: claiming(f / "a.wav", 3600), SHORT),
    (lambda f: claiming(f / "a.wav", 1.1), SHORT),
    (lambda f: claiming(f / "a.flac", 3), SHORT),
    (lambda f: claiming(f / "a.flac", (2**36 - 1) / 16000), "4294967 s of 1 channels at 16000 Hz"),
    (
        lambda f: tone(f / "a.wav", 3601, 10),
        "3601 s of 1 channels at 10 Hz: longer than the 3600 s",
    ),
    (lambda f: tone(f / "a.wav", 15_000, 1), "15000 s of 1 channels at 1 Hz: longer than"),
    (lambda f: tone(f / "a.wav", 1, 44101), "44101 Hz: resample it to 16000 Hz first"),
]


@pytest.mark.fault("hostile: a recording")
@pytest.mark.parametrize("read", [speech.look, speech.read])
@pytest.mark.parametrize(("make", "said"), CHANGES)
def test_recordings_that_are_not_what_their_header_says(tmp_path, make, said, read):
    path = make(tmp_path)
    with pytest.raises(UserError, match=said) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_an_hour_of_silence_at_a_rate_of_1_hz_is_read_in_bounds(tmp_path):
    assert speech.read(tone(tmp_path / "a.wav", 600, 1)).nbytes == 4 * 600 * 16000


def transcripts(folder, rows, header="file\ttext"):
    table = folder / "transcripts.tsv"
    table.write_text("\n".join([header, *rows]) + "\n")
    return table


def test_transcripts(tmp_path, capsys):
    tone(tmp_path / "x/b.wav", rate=8000)
    tone(tmp_path / "a.wav", 2)
    table = transcripts(tmp_path, ["x/b.wav\tTwo words", "a.wav\tOne"])
    found = index("transcripts", table, tmp_path)
    facts = [(item.name, item.facts["text"]) for item in found.items]
    assert facts == [("x-b", "Two words"), ("a", "One")]
    rates = [(item.facts["seconds"], item.facts["sample_rate"]) for item in found.items]
    assert rates == [(1, 8000), (2, 16000)]
    assert capsys.readouterr().err.count("resampled") == 1
    assert len(index("transcripts", table, tmp_path, Draw(1)).items) == 1
    write_record(tmp_path / "index.json", found.as_record())
    assert datasets.read(tmp_path / "index.json") == found


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (["a.wav\tHello"], "path\ttext", "columns must be file, text"),
        (["a.wav\tHello\tthere"], "file\ttext", "columns must be"),
        (["a.wav\tHello"], "file\ttext", "b.wav: has no transcript"),
        (["a.wav\tHello", "b.wav\t "], "file\ttext", "b: the transcript is empty"),
        (["a.wav\tHello", "b.wav\tx", "c.wav\tx"], "file\ttext", "c.wav: no such recording"),
        (["a.wav\tHello", "b.wav\tx", "a.wav\tx"], "file\ttext", "two items are called a"),
        ([], "file\ttext", "the dataset has no items"),
    ],
)
def test_transcripts_that_are_wrong(tmp_path, rows, header, message):
    tone(tmp_path / "a.wav")
    tone(tmp_path / "b.wav")
    with pytest.raises(UserError, match=message):
        index("transcripts", transcripts(tmp_path, rows, header), tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "transcripts.tsv: the table is empty"),
        (b"\xef\xbb\xbf", "transcripts.tsv: the table is empty"),
        (b"file\ttext\ttext\na.wav\tx\ty\n", "the columns must be file, text"),
        (b"file\tfile\na.wav\tx\n", "the columns must be file, text"),
        (b"file\ttext\na.wav\t" + b"x" * 200_000, "is not a table"),
        (b"file\ttext\na.wav\tx\na\0.wav\tx\n", "no such recording"),
        ("file\ttext\na.wav\tx\n".encode("utf-16"), "is not a table"),
    ],
)
def test_tables_of_transcripts_that_are_none(tmp_path, text, said):
    tone(tmp_path / "a.wav")
    table = write_bytes(tmp_path / "transcripts.tsv", text)
    with pytest.raises(UserError, match=said) as caught:
        index("transcripts", table, tmp_path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_table_with_a_byte_order_mark(tmp_path):
    tone(tmp_path / "a.wav")
    table = write_bytes(tmp_path / "t.tsv", "\ufefffile\ttext\na.wav\tHello\n".encode())
    (item,) = index("transcripts", table, tmp_path).items
    assert item.facts["text"] == "Hello"
    with pytest.raises(UserError, match="is a folder"):
        index("transcripts", tmp_path, tmp_path)


def test_librispeech(tmp_path):
    for name in ("84-121123-0000", "84-121123-0001"):
        tone(tmp_path / f"84/121123/{name}.flac")
    listed = tmp_path / "84/121123/84-121123.trans.txt"
    listed.write_text("84-121123-0000 GO\n84-121123-0001 DO YOU\n")
    found = index("librispeech", tmp_path, tmp_path)
    assert [item.facts["text"] for item in found.items] == ["GO", "DO YOU"]
    listed.write_text("84-121123-0000 GO\n")
    with pytest.raises(UserError, match=r"0001.flac: has no transcript"):
        index("librispeech", tmp_path, tmp_path)
    listed.write_text("84-121123-0000 GO\n84-121123-0000 STAY\n")
    with pytest.raises(UserError, match=r"trans.txt: 84-121123-0000 is given twice"):
        index("librispeech", tmp_path, tmp_path)
    listed.write_bytes(b"84-121123-0000 G\xff")
    with pytest.raises(UserError, match=r"trans.txt: not text in UTF-8"):
        index("librispeech", tmp_path, tmp_path)
    listed.unlink()
    with pytest.raises(UserError, match=r"no .*trans.txt"):
        index("librispeech", tmp_path, tmp_path)


def test_librispeech_is_drawn_over_its_speakers(tmp_path):
    """The first by name are one speaker's; an interval needs to know whose each is."""
    for speaker in ("1089", "121", "237"):
        names = [f"{speaker}-7-000{number}" for number in range(4)]
        for name in names:
            tone(tmp_path / f"{speaker}/7/{name}.flac")
        text = "".join(f"{name} GO\n" for name in names)
        (tmp_path / f"{speaker}/7/{speaker}-7.trans.txt").write_text(text)
    found = index("librispeech", tmp_path, tmp_path, Draw(3)).items
    assert [item.facts["group"] for item in found] == ["1089", "121", "237"]
    assert all(item.name.startswith(item.facts["group"]) for item in found)


def test_sphinx(tmp_path):
    for name in ("wav/fash/an251.wav", "wav/b.flac"):
        tone(tmp_path / name)
    listed = tmp_path / "transcription"
    listed.write_text("<s> GO  ON </s> (an251)\n\n<s> one <sil> two ++NOISE++ </s> (b)\n")
    found = index("sphinx", listed, tmp_path).items
    assert [(i.name, i.facts["text"]) for i in found] == [("an251", "GO ON"), ("b", "one two")]
    tone(tmp_path / "other/b.wav")
    with pytest.raises(UserError, match=r"b: other/b\.wav, wav/b\.flac in .*; one is needed"):
        index("sphinx", listed, tmp_path)


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
    found = index("asterisk", listed, tmp_path)
    assert [item.name for item in found.items] == ["dictate-long", "long"]
    whole = listed.read_bytes()
    damaged = whole[:15] + bytes([whole[15] ^ 255]) + whole[16:]
    for data, said in (
        (b"no gzip", "not a gzip file"),
        (whole[:-20], "not a gzip file"),
        (damaged, "not a gzip file"),
        (gzip.compress(b"a" * (2**24 + 1)), "more than 16777216 bytes, unpacked"),
    ):
        listed.write_bytes(data)
        with pytest.raises(UserError, match=said):
            index("asterisk", listed, tmp_path)
    with pytest.raises(UserError, match="is a folder"):
        index("asterisk", tmp_path, tmp_path)

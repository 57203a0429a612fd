"""A network of DeepSpeech's shape, made once, with recordings to calibrate and to test with."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # speech_script, a user's file, and what it needs


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    pytest.importorskip("openvino")
    import small_speech

    folder = tmp_path_factory.mktemp("speech")
    small_speech.write_onnx(small_speech.trained(), folder / "deepspeech.onnx")
    small_speech.convert(folder / "deepspeech.onnx")
    small_speech.write_recordings(folder / "valid", small_speech.recordings(12, seed=1))
    small_speech.write_recordings(folder / "test", small_speech.recordings(12, seed=2))
    return folder


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """The like of `speech`: a network 256 wide, trained in minutes, and digits by espeak-ng."""
    pytest.importorskip("openvino")
    import small_speech

    from benches import recogniser
    from nnrd.datasets import audio

    folder = tmp_path_factory.mktemp("digits")
    recogniser.exported(folder / "made").rename(folder / "deepspeech.onnx")
    small_speech.convert(folder / "deepspeech.onnx")
    for name in ("valid", "test"):
        items = recogniser.speech(folder / "made", name)
        made = [(audio.read_item(item), item.facts["text"]) for item in items]
        small_speech.write_recordings(folder / name, made)
    return folder

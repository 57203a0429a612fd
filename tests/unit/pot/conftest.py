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
    small_speech.write_model(folder / "deepspeech.xml")
    small_speech.write_recordings(folder / "valid", 12, seed=1)
    small_speech.write_recordings(folder / "test", 12, seed=2)
    return folder

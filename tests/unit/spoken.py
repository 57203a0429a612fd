"""Where tests have speech made: a folder with the synthesiser's files."""

from pathlib import Path

import pytest

from benches import made_speech
from nnrd import UserError


def folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a new folder in which speech can be made; skip where espeak-ng cannot be had."""
    found = factory.mktemp(name)
    try:
        made_speech.fetched(found)
    except UserError as error:
        pytest.skip(f"espeak-ng cannot be had: {error}")
    return found

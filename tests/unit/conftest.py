"""What the tests of all rooms use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnrd.core import plug_ins


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real files for tests; skip where this machine has none."""
    if not os.environ.get("NNRD_DATA"):
        pytest.skip("NNRD_DATA is unset: no real data")
    return Path(os.environ["NNRD_DATA"])


@pytest.fixture(autouse=True)
def loaded() -> Iterator[None]:
    """Forget the plug-ins that a test loaded: a later test's error may be blamed on them."""
    before = dict(plug_ins._loaded)
    yield
    plug_ins._loaded.clear()
    plug_ins._loaded.update(before)

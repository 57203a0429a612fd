"""What the tests of all rooms use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real files for tests; skip where this machine has none."""
    if not os.environ.get("NNRD_DATA"):
        pytest.skip("NNRD_DATA is unset: no real data")
    return Path(os.environ["NNRD_DATA"])

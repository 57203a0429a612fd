"""The programs by hand as a test calls them, and what they refuse."""

import pytest

from nnrd import cli


def nnrd(*words):
    """Run the command nnrd."""
    cli.main([str(word) for word in words])


def refused(*words):
    """Return what it says that refuses; one line."""
    with pytest.raises(SystemExit) as caught:
        nnrd(*words)
    assert "\n" not in str(caught.value)
    return str(caught.value)

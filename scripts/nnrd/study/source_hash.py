"""Stub."""


def source_hash(stage, *more):
    """Return nothing."""
    return "x"

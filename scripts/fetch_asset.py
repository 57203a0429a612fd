"""Fetch one asset: all files that the sheet gives for it, checked, into one folder."""

from nnrd.core.program import run
from nnrd.stages import fetch_asset

if __name__ == "__main__":
    run(fetch_asset)

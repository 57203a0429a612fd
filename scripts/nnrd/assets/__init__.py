"""The room assets."""

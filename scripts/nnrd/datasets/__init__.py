"""Datasets: their layouts, the index of their items, and how images and recordings are read."""

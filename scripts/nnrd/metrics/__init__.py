"""Metrics: pure functions, plain lists in, numbers out; they know no study and no model."""

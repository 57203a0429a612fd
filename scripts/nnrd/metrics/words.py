"""Word and character error rates over a corpus, and how sure they are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES, SEED = 2000, 0


class Errors(NamedTuple):
    """Edits that turn a reference into a hypothesis, and the reference's length."""

    substitutions: int
    deletions: int
    insertions: int
    length: int

    @property
    def edits(self) -> int:
        """All edits."""
        return self.substitutions + self.deletions + self.insertions


def words(reference: str, hypothesis: str) -> Errors:
    """Count the edits of words (jiwer's alignment); the reference has one word at least."""
    import jiwer

    return _errors(jiwer.process_words(reference, hypothesis))


def characters(reference: str, hypothesis: str) -> Errors:
    """Count the edits of characters, spaces among them."""
    import jiwer

    return _errors(jiwer.process_characters(reference, hypothesis))


def _errors(found) -> Errors:
    length = found.hits + found.substitutions + found.deletions
    return Errors(found.substitutions, found.deletions, found.insertions, length)


def rate(errors: Sequence[Errors]) -> float:
    """Return edits over length, over the corpus, in percent: above 100 where much is invented."""
    return 100 * sum(e.edits for e in errors) / sum(e.length for e in errors)


def interval(
    errors: Sequence[Errors], anchor: Sequence[Errors] | None = None
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the rate, in percentage points.

    Utterances are drawn with replacement, 2,000 times, seeded; the percentiles 2.5 and 97.5 are
    returned (Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance
    evaluation", ICASSP 2004). With ``anchor``, the same utterances' errors of another system,
    the interval is that of the difference, ours minus the anchor's, on the same draws.
    """
    edits = np.array([e.edits for e in errors], dtype=float)
    if anchor is not None:
        edits -= [e.edits for e in anchor]
    lengths = np.array([e.length for e in errors], dtype=float)
    draws = np.random.default_rng(SEED).integers(len(errors), size=(RESAMPLES, len(errors)))
    rates = 100 * edits[draws].sum(axis=1) / lengths[draws].sum(axis=1)
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)

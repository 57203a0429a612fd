"""Word and character error rates over a corpus."""

from collections.abc import Sequence
from typing import NamedTuple

from nnrd.metrics.bootstrap import Statistic, ratio


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


def statistic(errors: Sequence[Errors]) -> Statistic:
    """Return the rate over the utterances of each draw, for `bootstrap.Bootstrap`."""
    return ratio([e.edits for e in errors], [e.length for e in errors])

"""Speech recognition: word and character error rate over the corpus, in percent."""

from collections.abc import Mapping, Sequence
from typing import Any

from nnrd.core.errors import UserError
from nnrd.datasets.index import Index
from nnrd.metrics import normaliser, words
from nnrd.metrics.words import Errors
from nnrd.tasks import Metric, Prediction, Row, Task


class Asr(Task):
    """A prediction has ``text``, the transcript; so have an item's facts, the reference."""

    metrics = (Metric("WER", "word error rate", "%", higher_is_better=False, interval=True),)
    others = (
        Metric("CER", "character error rate", "%", higher_is_better=False),
        Metric("WER_difference", "to the anchor", "%", False, interval=True, to_anchor=True),
    )
    count_columns = ("substitutions", "deletions", "insertions", "words")

    def score(
        self, index: Index, anchor: Sequence[Prediction], predictions: Sequence[Prediction]
    ) -> tuple[dict[str, Any], list[Row]]:
        """Score transcripts against the references, and against the anchor's.

        Both sides are normalised (`nnrd.metrics.normaliser`). Returns ``WER`` and ``CER`` in
        percent, over the corpus; ``substitutions``, ``deletions``, ``insertions`` and ``words``
        (of the references) as counts; ``WER_low``, ``WER_high``, the 95 % bootstrap interval;
        ``WER_difference_low`` and ``_high``, that of the paired difference to the anchor; and a
        row an utterance. Raises UserError for a reference that is missing or has no words.
        """
        texts = {item.name: item.facts.get("text") for item in index.items}
        ours = [_errors(texts, prediction) for prediction in predictions]
        theirs = {prediction["item"]: prediction for prediction in anchor}
        paired = [_errors(texts, theirs[prediction["item"]]) for prediction in predictions]
        rows = [
            {"item": found["item"], "WER": words.rate([errors]), "text": found["text"]}
            for found, errors in zip(predictions, ours, strict=True)
        ]
        characters = [
            words.characters(_reference(texts, row["item"]), normaliser.normalise(row["text"]))
            for row in predictions
        ]
        return _metrics(ours, paired, characters), rows


def _metrics(ours: list[Errors], paired: list[Errors], characters: list[Errors]) -> dict[str, Any]:
    low, high = words.interval(ours)
    less, more = words.interval(ours, paired)
    return {
        "WER": words.rate(ours),
        "CER": words.rate(characters),
        "substitutions": sum(errors.substitutions for errors in ours),
        "deletions": sum(errors.deletions for errors in ours),
        "insertions": sum(errors.insertions for errors in ours),
        "words": sum(errors.length for errors in ours),
        **{"WER_low": low, "WER_high": high},
        **{"WER_difference_low": less, "WER_difference_high": more},
        "normaliser": normaliser.NAME,
    }


def _errors(texts: Mapping[str, str | None], prediction: Prediction) -> Errors:
    reference = _reference(texts, prediction["item"])
    return words.words(reference, normaliser.normalise(prediction["text"]))


def _reference(texts: Mapping[str, str | None], item: str) -> str:
    text = texts.get(item)
    if text is None:
        raise UserError(f"{item}: has no transcript")
    reference = normaliser.normalise(text)
    if not reference:
        raise UserError(f"{item}: its transcript {text!r} has no words")
    return reference

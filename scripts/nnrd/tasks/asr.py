"""Speech recognition: word and character error rate over the corpus, in percent."""

from collections.abc import Mapping, Sequence
from typing import Any

from nnrd.core.errors import UserError
from nnrd.datasets.index import Index
from nnrd.metrics import normaliser, words
from nnrd.metrics.words import Errors
from nnrd.tasks import Metric, Prediction, Row, Task
from nnrd.tasks.intervals import intervals


class Asr(Task):
    """A prediction has ``text``, the transcript; so have an item's facts, the reference."""

    media = "audio"
    metrics = (Metric("WER", "word error rate", "%", higher_is_better=False, interval=True),)
    others = (Metric("CER", "character error rate", "%", higher_is_better=False, interval=True),)
    count_columns = ("substitutions", "deletions", "insertions", "words")

    def score(
        self, index: Index, anchor: Sequence[Prediction], predictions: Sequence[Prediction]
    ) -> tuple[dict[str, Any], list[Row]]:
        """Score transcripts against the references, and against the anchor's.

        Both sides are normalised (`nnrd.metrics.normaliser`). Returns ``WER`` and ``CER`` in
        percent, over the corpus; ``substitutions``, ``deletions``, ``insertions`` and ``words``
        (of the references) as counts; the intervals of both rates over utterances, or over
        speakers where they are known; and a row an utterance. Raises UserError for a reference
        that is missing or has no words.
        """
        texts = {item.name: item.facts.get("text") for item in index.items}
        held = {prediction["item"]: prediction for prediction in anchor}
        ours = _errors(texts, predictions)
        theirs = _errors(texts, [held[prediction["item"]] for prediction in predictions])
        rows = [
            {"item": found["item"], "WER": words.rate([errors]), "text": found["text"]}
            for found, errors in zip(predictions, ours["WER"], strict=True)
        ]
        statistics = [
            {name: words.statistic(errors) for name, errors in side.items()}
            for side in (ours, theirs)
        ]
        return _metrics(ours) | intervals(index, predictions, *statistics), rows


def _metrics(errors: Mapping[str, list[Errors]]) -> dict[str, Any]:
    counts = {
        name: sum(getattr(found, name) for found in errors["WER"])
        for name in ("substitutions", "deletions", "insertions")
    }
    rates = {name: words.rate(found) for name, found in errors.items()}
    total = {"words": sum(found.length for found in errors["WER"])}
    return rates | counts | total | {"normaliser": normaliser.NAME}


def _errors(
    texts: Mapping[str, str | None], predictions: Sequence[Prediction]
) -> dict[str, list[Errors]]:
    """Return each utterance's errors, of words and of characters."""
    pairs = [
        (_reference(texts, found["item"]), normaliser.normalise(found["text"]))
        for found in predictions
    ]
    return {
        "WER": [words.words(*pair) for pair in pairs],
        "CER": [words.characters(*pair) for pair in pairs],
    }


def _reference(texts: Mapping[str, str | None], item: str) -> str:
    text = texts.get(item)
    if text is None:
        raise UserError(f"{item}: has no transcript")
    reference = normaliser.normalise(text)
    if not reference:
        raise UserError(f"{item}: its transcript {text!r} has no words")
    return reference

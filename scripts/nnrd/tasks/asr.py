"""Speech recognition: word and character error rate over the corpus, in percent."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnrd import normaliser, word_errors
from nnrd.errors import UserError
from nnrd.program import read_json
from nnrd.word_errors import Errors

METRIC = "WER"
HIGHER_IS_BETTER = False


def truth(index: Path, annotations: Path) -> dict[str, str]:
    """Return the transcript of each item, from the dataset's index."""
    return {row["name"]: row["text"] for row in read_json(index)}


def score(
    truth: Mapping[str, str], anchor: Sequence[dict], predictions: Sequence[dict]
) -> tuple[dict, list[dict]]:
    """Score transcripts against ``truth``, the references by item, and against the anchor's.

    ``anchor`` and ``predictions``: one mapping an utterance with ``item`` and ``text``. Both
    sides are normalised (`nnrd.normaliser`). Returns ``WER`` and ``CER`` in percent, over the
    corpus; ``substitutions``, ``deletions``, ``insertions`` and ``words`` (of the references) as
    counts; ``WER_low``, ``WER_high``, the 95 % bootstrap interval; ``WER_difference_low`` and
    ``_high``, that of the paired difference to the anchor; and a row an utterance. Raises
    UserError where an utterance has no transcript, or one without words.
    """
    ours = [_words(truth, prediction) for prediction in predictions]
    texts = {prediction["item"]: prediction for prediction in anchor}
    theirs = [_words(truth, texts[prediction["item"]]) for prediction in predictions]
    rows = [
        {"item": prediction["item"], "WER": word_errors.rate([errors]), "text": prediction["text"]}
        for prediction, errors in zip(predictions, ours, strict=True)
    ]
    return _metrics(truth, predictions, ours, theirs), rows


def _metrics(
    truth: Mapping[str, str], predictions: Sequence[dict], ours: list[Errors], theirs: list[Errors]
) -> dict:
    characters = [
        word_errors.characters(_reference(truth, row["item"]), normaliser.normalise(row["text"]))
        for row in predictions
    ]
    low, high = word_errors.interval(ours)
    less, more = word_errors.interval(ours, theirs)
    return {
        "WER": word_errors.rate(ours),
        "CER": word_errors.rate(characters),
        "substitutions": sum(errors.substitutions for errors in ours),
        "deletions": sum(errors.deletions for errors in ours),
        "insertions": sum(errors.insertions for errors in ours),
        "words": sum(errors.length for errors in ours),
        **{"WER_low": low, "WER_high": high},
        **{"WER_difference_low": less, "WER_difference_high": more},
        "normaliser": normaliser.NAME,
    }


def _words(truth: Mapping[str, str], prediction: dict) -> Errors:
    reference = _reference(truth, prediction["item"])
    return word_errors.words(reference, normaliser.normalise(prediction["text"]))


def _reference(truth: Mapping[str, str], item: str) -> str:
    if item not in truth:
        raise UserError(f"{item}: has no transcript")
    reference = normaliser.normalise(truth[item])
    if not reference:
        raise UserError(f"{item}: its transcript {truth[item]!r} has no words")
    return reference

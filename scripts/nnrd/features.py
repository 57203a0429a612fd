"""The features study's source (part I makes tensors) and sink (part II takes them)."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from onnxruntime import InferenceSession

from nnrd import bundles, coding, inference
from nnrd.codecs import Codec
from nnrd.datasets import Item
from nnrd.errors import UserError
from nnrd.images import read_rgb


def extract(
    part1: InferenceSession, crossing: Sequence[str], items: Iterable[Item], detector: ModuleType,
    folder: Path,
) -> list[dict]:  # fmt: skip
    """Run part I on each photo and write what crosses, one bundle an item, into ``folder``.

    ``crossing``: the names of the tensors that are sent, in order. Returns a row an item:
    ``item``, ``part1_time`` (seconds, wall: part I alone, without reading the photo).
    """
    rows = []
    for item, feed in _feeds(part1, items, detector):
        start = time.perf_counter()
        outputs = part1.run(list(crossing), feed)
        elapsed = time.perf_counter() - start
        tensors = dict(zip(crossing, outputs, strict=True))
        bundles.write(folder / f"{item.name}{bundles.SUFFIX}", tensors)
        rows.append({"item": item.name, "part1_time": elapsed})
    return rows


def infer_whole(
    model: InferenceSession, items: Iterable[Item], detector: ModuleType
) -> Iterator[tuple[dict, dict]]:
    """Run the whole model on each photo: the anchor.

    Yields a prediction (``item``, ``image_id``, ``detections``) and a row of times
    (``item``, ``eval_time`` in seconds, wall: the graph and the post-processing).
    """
    for item, feed in _feeds(model, items, detector):
        start = time.perf_counter()
        prediction = _detect(model, feed, item, detector)
        yield prediction, {"item": item.name, "eval_time": time.perf_counter() - start}


def infer_parts(
    part2: InferenceSession, codec: Codec, bitstreams: Path, crossing: Sequence[str],
    items: Iterable[Item], detector: ModuleType, workers: int = 1,
) -> Iterator[tuple[dict, dict]]:  # fmt: skip
    """Decode each item's bitstream and run part II on it.

    Yields what `infer_whole` yields, with ``dec_time`` beside ``eval_time``. Raises
    BitstreamError, naming the file, for a bitstream that cannot be decoded.
    """
    warm = False
    for item in items:
        tensors, decoding = coding.decode(codec, bitstreams, item.name, crossing, workers)
        if not warm:
            part2.run(None, tensors)
            warm = True
        start = time.perf_counter()
        prediction = _detect(part2, tensors, item, detector)
        elapsed = time.perf_counter() - start
        yield prediction, {"item": item.name, "dec_time": decoding, "eval_time": elapsed}


def _feeds(
    session: InferenceSession, items: Iterable[Item], detector: ModuleType
) -> Iterator[tuple[Item, dict[str, np.ndarray]]]:
    """Yield the graph's inputs of each photo; the first run, untimed, warms the session up."""
    known = {value.name for value in session.get_inputs()}
    warm = False
    for item in items:
        feed = detector.preprocess(read_rgb(item.path))
        if set(feed) != known:
            raise UserError(f"the model's inputs are {sorted(known)}, not {sorted(feed)}")
        if not warm:
            session.run(None, feed)
            warm = True
        yield item, feed


def _detect(session: InferenceSession, feed: dict, item: Item, detector: ModuleType) -> dict:
    found = detector.postprocess(inference.run(session, feed), item.width, item.height)
    return {
        "item": item.name,
        "image_id": item.image_id,
        "detections": [detection._asdict() for detection in found],
    }

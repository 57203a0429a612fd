"""What a run by hand writes on request: text, COCO's results, what crosses. Complete or absent."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nnrd.core import bundles
from nnrd.core.errors import UserError
from nnrd.core.files import complete_file, complete_files
from nnrd.datasets import text_boxes
from nnrd.datasets.frames import Frame
from nnrd.datasets.labels import Labels
from nnrd.inference.chain import Passed

Take = Callable[[Frame, Passed], object]  # is called with every image and what it gave


@contextmanager
def text(folder: Path, labels: Labels, unit: str) -> Iterator[Take]:
    """Write the detections of each image into a file of a folder, as `text_boxes` has them."""
    with complete_files(folder) as files:

        def take(frame: Frame, passed: Passed) -> None:
            size = (frame.item.facts["width"], frame.item.facts["height"])
            file = files / f"{frame.item.name}{text_boxes.SUFFIX}"
            text_boxes.write(file, passed.detections, labels, size, unit)

        yield take


@contextmanager
def coco(path: Path, ids: Mapping[str, int] | None) -> Iterator[Take]:
    """Write all detections as COCO's results.

    ``ids``: a ground truth's image ids by name; without it images are numbered from 1. Raises
    UserError for an image that the ground truth has not.
    """
    rows: list[dict[str, Any]] = []

    def take(frame: Frame, passed: Passed) -> None:
        name = frame.item.name
        if ids is not None and name not in ids:
            raise UserError(f"{path}: {name} is not in the ground truth, so it has no image_id")
        number = frame.item.facts["image_id"] if ids is None else ids[name]
        rows.extend({"image_id": number, **row} for row in passed.detections)

    yield take
    with complete_file(path) as temporary:
        temporary.write_text(json.dumps(rows, allow_nan=False) + "\n")


@contextmanager
def features(folder: Path) -> Iterator[Take]:
    """Write the tensors that cross, before the codec, one safetensors file an image."""
    with complete_files(folder) as files:
        yield lambda frame, passed: bundles.write(
            files / f"{frame.item.name}{bundles.SUFFIX}", passed.sent
        )

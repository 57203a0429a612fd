"""What programs by hand take images from: an image, a folder of images, or a video.

A video is read frame by frame, by OpenCV, or as raw 4:2:0 with its size in its name.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from nnrd.core.errors import UserError
from nnrd.datasets import coded_video, images, raw_video
from nnrd.datasets.bad import Bad
from nnrd.datasets.index import Item
from nnrd.datasets.suffixes import CODED_VIDEO, IMAGES, RAW_VIDEO


class Frame(NamedTuple):
    """An image and its item, whose facts are ``width`` and ``height`` in pixels, ``image_id``.

    ``pixels``: uint8 RGB (height, width, 3). Images are numbered from 1, in their order.
    """

    item: Item
    pixels: np.ndarray


Read = Callable[[], Frame]


class Source(ABC):
    """Images in their order. ``kind`` is what the path is; ``count`` how many there should be."""

    kind: str
    count: int
    fps: float = 0.0

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def reads(self) -> Iterator[Read]:
        """Yield what reads each image, and raises UserError where it cannot be read."""

    def frames(self, bad: Bad, limit: int | None = None) -> Iterator[Frame]:
        """Yield the images, ``limit`` at most of those that there should be.

        Raises UserError: an image that cannot be read, unless it may be skipped; none at all.
        """
        some = False
        for number, read in enumerate(self.reads()):
            if number == limit:
                break
            try:
                frame = read()
            except UserError as error:
                bad.meets(number, error)
                continue
            some = True
            yield frame
        if not some:
            raise UserError(f"{self.path}: nothing in it can be used")


class Pictures(Source):
    """An image file, or all of a folder, in the order of their names."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.kind = "folder" if path.is_dir() else "image"
        self.files = _pictures(path) if path.is_dir() else [path]
        self.count = len(self.files)

    def reads(self) -> Iterator[Read]:
        """Yield what reads each file."""
        for number, file in enumerate(self.files, 1):
            yield partial(_picture, file, number)


class Video(Source):
    """A video that OpenCV reads; its frames are called ``NAME_000000``, from 0."""

    kind = "video"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with coded_video.opened(path) as capture:
            self.count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            self.fps = float(capture.get(cv2.CAP_PROP_FPS))
            if not capture.grab():
                raise UserError(f"{path}: a video without a frame that can be read")

    def reads(self) -> Iterator[Read]:
        """Yield what reads the next frame; of a video cut short, one that says so at its end."""
        number = 0
        for pixels in coded_video.frames(self.path):
            frame = _frame(frame_name(self.path, number), self.path, number + 1, pixels)
            yield partial(_same, frame)
            number += 1
        if number < self.count:
            yield partial(_fail, f"{self.path}: cut short: {number} of {self.count} frames")


class RawVideo(Source):
    """Raw 4:2:0; its frames are called ``NAME_000000``, from 0."""

    kind = "video"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.count, self.fps = raw_video.count(path), raw_video.shape(path).fps
        if not self.count:
            raise UserError(f"{path}: a video without a whole frame")

    def reads(self) -> Iterator[Read]:
        """Yield what reads each frame; of a video cut short, one that says so at its end."""
        for number in range(self.count):
            yield partial(self._read, number)
        if raw_video.rest(self.path):
            yield partial(_fail, f"{self.path}: cut short within frame {self.count}")

    def _read(self, number: int) -> Frame:
        width, height, _ = raw_video.shape(self.path)
        pixels = raw_video.decode(raw_video.frame_bytes(self.path, number), width, height)
        return _frame(frame_name(self.path, number), self.path, number + 1, pixels)


def frame_name(path: Path, number: int) -> str:
    """Return what a frame of a video is called, ``number`` from 0."""
    return f"{path.stem}_{number:06}"


def source(path: str | Path) -> Source:
    """Return what a path holds; UserError: nothing there, a folder without images, other files."""
    path = Path(path)
    suffix = path.suffix.lower()
    if path.is_dir() or suffix in IMAGES:
        return Pictures(path)
    if suffix == RAW_VIDEO:
        return RawVideo(path)
    if suffix in CODED_VIDEO:
        return Video(path)
    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    known = ", ".join((*IMAGES, *CODED_VIDEO, RAW_VIDEO))
    raise UserError(f"{path}: neither a folder nor an image or a video ({known})")


def _pictures(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES)
    if not found:
        raise UserError(f"{folder}: a folder without images ({', '.join(IMAGES)})")
    stems = [path.stem for path in found]
    for stem in stems:
        if stems.count(stem) > 1:
            raise UserError(f"{folder}: two images are called {stem}")
    return found


def _frame(name: str, path: Path, number: int, pixels: np.ndarray) -> Frame:
    height, width = pixels.shape[:2]
    facts = {"image_id": number, "width": width, "height": height}
    return Frame(Item(name, str(path), "", facts), pixels)


def _picture(file: Path, number: int) -> Frame:
    return _frame(file.stem, file, number, images.read_rgb(file))


def _same(frame: Frame) -> Frame:
    return frame


def _fail(message: str) -> Frame:
    raise UserError(message)

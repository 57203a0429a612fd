"""Images that were drawn into, written as a folder, one image or a video, or shown."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file, complete_files
from nnrd.datasets.frames import Source
from nnrd.datasets.suffixes import IMAGES

Write = Callable[[str, np.ndarray], object]  # is called with each image's name and pixels, RGB
CODES = {".avi": "MJPG", ".mp4": "mp4v"}
FPS = 25.0  # of a video of images that have no rate
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
QUIT = (ord("q"), 27)  # keys that end the showing


def writer(out: Path, source: Source) -> Any:
    """Return a context that yields what takes each image.

    ``out``: a video (.avi, .mp4), an image where the source is one, or a folder of PNG files.
    Raises UserError for another suffix, and for images of several sizes in one video.
    """
    suffix = out.suffix.lower()
    if suffix in CODES:
        return _video(out, source.fps or FPS)
    if suffix in IMAGES:
        if source.kind != "image":
            raise UserError(f"{out}: one image cannot hold a {source.kind}; name a folder or video")
        return nullcontext(lambda name, pixels: _save(out, pixels))
    if suffix:
        raise UserError(f"{out}: neither a folder nor an image or a video ({', '.join(CODES)})")
    return _folder(out)


def _save(path: Path, pixels: np.ndarray) -> None:
    with complete_file(path) as temporary:
        Image.fromarray(pixels).save(temporary)


@contextmanager
def _folder(folder: Path) -> Iterator[Write]:
    with complete_files(folder) as files:
        yield lambda name, pixels: Image.fromarray(pixels).save(files / f"{name}.png")


@contextmanager
def _video(path: Path, fps: float) -> Iterator[Write]:
    with complete_file(path) as temporary:
        video = _Video(path, temporary, fps)
        try:
            yield video.write
        finally:
            video.close()


class _Video:
    """A video that takes its size from its first frame."""

    def __init__(self, path: Path, temporary: Path, fps: float) -> None:
        self.path, self.temporary, self.fps = path, temporary, fps
        self.size = (0, 0)
        self.video: cv2.VideoWriter | None = None

    def write(self, name: str, pixels: np.ndarray) -> None:
        size = (pixels.shape[1], pixels.shape[0])
        if self.video is None:
            code = cv2.VideoWriter.fourcc(*CODES[self.path.suffix.lower()])
            self.video, self.size = cv2.VideoWriter(str(self.temporary), code, self.fps, size), size
            if not self.video.isOpened():
                raise UserError(f"{self.path}: OpenCV cannot write this video")
        if size != self.size:
            sizes = f"{size[0]}x{size[1]}, those before {self.size[0]}x{self.size[1]}"
            raise UserError(f"{self.path}: {name} has {sizes}: name a folder instead of a video")
        self.video.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        if self.video is not None:
            self.video.release()


@contextmanager
def window(title: str, wait: int) -> Iterator[Write]:
    """Show images in a window, ``wait`` milliseconds each, 0: until a key is pressed.

    The keys q and Escape end it by KeyboardInterrupt. Raises UserError where there is no display.
    """
    if not any(map(os.environ.get, DISPLAYS)):
        raise UserError("--show: there is no display here; --out writes files instead")

    def show(name: str, pixels: np.ndarray) -> None:
        cv2.imshow(title, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        if cv2.waitKey(wait) & 0xFF in QUIT:
            raise KeyboardInterrupt

    try:
        yield show
    except KeyboardInterrupt:
        pass
    finally:
        cv2.destroyAllWindows()

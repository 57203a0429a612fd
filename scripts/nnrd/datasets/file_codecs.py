"""Ways to send an item as a file, to the whole model: what splitting has to be better than.

Other packages publish theirs, subclasses of `FileCodec`, under ``nnrd.file_codecs``.
"""

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.files import read_verified
from nnrd.core.registry import Registry
from nnrd.core.schema import first_mistake
from nnrd.datasets.index import Item
from nnrd.datasets.suffixes import CODED_VIDEO, RAW_VIDEO


class FileCodec(ABC):
    """How an item becomes a file that its reader (`Pipeline.load`) reads. Subclass it to add one.

    ``media``: ``image`` or ``audio``, what it takes; None: any. ``properties``: the JSON schema of
    each parameter, all of which have to be given. ``lossless``: what is read is what was stored.
    """

    media: ClassVar[str | None] = None
    properties: ClassVar[dict[str, dict[str, Any]]] = {}
    lossless: ClassVar[bool] = False

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters

    @abstractmethod
    def read(self, item: Item) -> Any:
        """Return what `write` takes of an item; not timed. UserError where it was altered."""

    @abstractmethod
    def write(self, loaded: Any) -> bytes:
        """Return the file's bytes."""


class Stored(FileCodec):
    """The file as it is stored; of a frame of raw video, the frame, with a line of its size."""

    lossless = True

    def read(self, item: Item) -> bytes:
        """Return its bytes."""
        if item.path.endswith(RAW_VIDEO):
            from nnrd.datasets import raw_video

            return raw_video.as_file(item)
        if "frame" in item.facts and item.path.endswith(CODED_VIDEO):
            reason = "a frame of a coded video has no file of its own; take another file codec"
            raise UserError(f"{item.path}: {reason}")
        return read_verified(item.path, item.checksum)

    def write(self, loaded: bytes) -> bytes:
        """Return the same."""
        return loaded


class Jpeg(FileCodec):
    """The image as JPEG, with Pillow's tables for a quality and chroma at half resolution."""

    media = "image"
    properties: ClassVar = {"quality": {"type": "integer", "minimum": 1, "maximum": 95}}

    def read(self, item: Item) -> np.ndarray:
        """Return the image, uint8 RGB (height, width, 3)."""
        from nnrd.datasets import images

        return images.read_item(item)

    def write(self, loaded: np.ndarray) -> bytes:
        """Return a JPEG file."""
        from PIL import Image

        out = io.BytesIO()
        quality = self.parameters["quality"]
        Image.fromarray(loaded).save(out, "JPEG", quality=quality, subsampling="4:2:0")
        return out.getvalue()


class Flac(FileCodec):
    """The recording as FLAC, which loses nothing: its samples and its rate are as stored."""

    media = "audio"
    lossless = True
    subtypes: ClassVar = ("PCM_S8", "PCM_16", "PCM_24")

    def read(self, item: Item) -> tuple[np.ndarray, int, str]:
        """Return samples, rate in Hz, and their form; UserError for a form that FLAC has not."""
        import soundfile

        data = read_verified(item.path, item.checksum)
        subtype = soundfile.info(io.BytesIO(data)).subtype
        if subtype not in self.subtypes:
            forms = ", ".join(self.subtypes)
            raise UserError(f"{item.path}: FLAC holds samples of {forms}, not {subtype}")
        samples, rate = soundfile.read(io.BytesIO(data), dtype="int32", always_2d=True)
        return samples, rate, subtype

    def write(self, loaded: tuple[np.ndarray, int, str]) -> bytes:
        """Return a FLAC file."""
        import soundfile

        samples, rate, subtype = loaded
        out = io.BytesIO()
        soundfile.write(out, samples, rate, subtype=subtype, format="FLAC")
        return out.getvalue()


REGISTRY: Registry[type[FileCodec]] = Registry(
    "nnrd.file_codecs",
    "file codec",
    {
        "flac": "nnrd.datasets.file_codecs:Flac",
        "jpeg": "nnrd.datasets.file_codecs:Jpeg",
        "stored": "nnrd.datasets.file_codecs:Stored",
    },
    of="nnrd.datasets.file_codecs:FileCodec",
)


def make(name: str, **parameters: Any) -> FileCodec:
    """Return a file codec with its parameters."""
    return REGISTRY.get(name)(**parameters)


def check(name: str, parameters: Mapping[str, Any], media: str) -> None:
    """Raise UserError for parameters that a file codec does not take, or items of other media."""
    codec = REGISTRY.get(name)
    schema = {
        "type": "object",
        "properties": codec.properties,
        "required": list(codec.properties),
        "additionalProperties": False,
    }
    if mistake := first_mistake(schema, dict(parameters)):
        raise UserError(": ".join(part for part in mistake if part))
    if codec.media not in (None, media):
        raise UserError(f"is for {codec.media}, and the items are {media}")

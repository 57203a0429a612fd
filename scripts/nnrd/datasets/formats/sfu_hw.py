"""SFU-HW-Objects and SFU-HW-Tracks: labels of the raw video of HEVC's common test conditions.

As they are distributed: a text file a frame, ``SEQUENCE_seq_NNN.txt`` from 000, in any folders
below, a line an object. Objects: ``class cx cy w h``. Tracks: ``class object cx cy w h``, the
object's number kept. Centre, width and height are shares of the frame's. Classes are COCO's 80 in
their order, from 0 (Choi et al., Data in Brief 34 (2021) 106701; Tanaka et al., Data in Brief 41
(2022) 107892). The frames come from elsewhere: ``SEQUENCE.yuv``, a coded video of that name, or
pictures ``SEQUENCE_NNN.png``.
"""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from nnrd.core.errors import UserError
from nnrd.core.files import checksum
from nnrd.datasets import coded_video, images, raw_video
from nnrd.datasets.coco_names import NAMES
from nnrd.datasets.formats import Format
from nnrd.datasets.frames import frame_name
from nnrd.datasets.index import EVERYTHING, Draw, Index, Item
from nnrd.datasets.suffixes import CODED_VIDEO, IMAGES, RAW_VIDEO

LABELS = re.compile(r"(?P<sequence>.+)_seq_(?P<number>\d+)\.txt")
IDS = tuple(NAMES)
Size = tuple[int, int]  # width and height in pixels


class _Frame(NamedTuple):
    """A labelled frame: its sequence, its number from 0, its labels, its place among all."""

    sequence: str
    number: int
    labels: Path
    image_id: int

    @property
    def name(self) -> str:
        return f"{self.sequence}_{self.number:03}"


class SfuHwObjects(Format):
    """Frames with objects. Facts: those of the format `coco`, and ``frame``, its number from 0."""

    tracks: ClassVar[bool] = False

    def index(self, annotations: Path, folder: Path, draw: Draw = EVERYTHING) -> Index:
        """Return the labelled frames, ordered by sequence and number, drawn over the sequences.

        ``annotations``: the folder of the labels; ``folder``: that of the sequences. Boxes are cut
        to the frame; those of which nothing is left are left out, and counted. A frame cannot be
        used that is not there, such as one behind the end of a video that is cut short, that cannot
        be read or whose labels have other lines. Raises UserError, naming file and line: a frame
        that cannot be used and may not be skipped, a sequence without a size in its name.
        """
        look = partial(self._look, _Places(folder))
        named = (attrgetter("name"), look, attrgetter("sequence"))
        pairs = draw.looked_at(_frames(annotations), *named)
        left = sum(number for _, number in pairs)
        counts = {"boxes are outside of their frame": left} if left else {}
        return Index([item for item, _ in pairs], dict(NAMES), counts=counts)

    def _look(self, places: "_Places", frame: "_Frame") -> tuple[Item, int]:
        """Return a frame's item, and how many boxes were left out of it."""
        name, path, digest, size = places.find(frame)
        rows = list(_lines(frame.labels, self.tracks))
        objects = [row for row in (_object(*row, size) for row in rows) if row]
        known = {"image_id": frame.image_id, "width": size[0], "height": size[1]}
        facts = {**known, "objects": objects, "frame": frame.number}
        return Item(name, str(path), digest, facts), len(rows) - len(objects)


class SfuHwTracks(SfuHwObjects):
    """Frames with tracked objects, whose numbers are in ``object_id``."""

    tracks = True


def _frames(annotations: Path) -> list[_Frame]:
    found: dict[tuple[str, int], Path] = {}
    for path in sorted(annotations.rglob("*.txt")):
        if (match := LABELS.fullmatch(path.name)) is None:
            continue
        key = match["sequence"], int(match["number"])
        if key in found:
            raise UserError(f"{path}: frame {key[1]} of {key[0]} is labelled by {found[key]}, too")
        found[key] = path
    if not found:
        raise UserError(f"{annotations}: no labels called SEQUENCE_seq_000.txt")
    return [_Frame(*key, found[key], place) for place, key in enumerate(sorted(found), 1)]


class _Places:
    """Where the frames of sequences are below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.videos: dict[str, Path] = {}
        self.pictures: dict[str, Path] = {}
        self.decoded: dict[Path, list[tuple[str, Size]]] = {}  # of coded videos
        for path in sorted(folder.rglob("*")):
            if path.suffix in (RAW_VIDEO, *CODED_VIDEO):
                self.videos[path.stem] = path
            elif path.suffix.lower() in IMAGES:
                head, _, number = path.stem.rpartition("_")
                if number.isdigit():
                    self.pictures[f"{head}_{int(number):03}"] = path

    def find(self, frame: _Frame) -> tuple[str, Path, str, Size]:
        """Return a frame's name as `nnrd.datasets.frames` has it, its file, checksum and size.

        Of a video checksum and size are those of the frame.
        """
        if frame.sequence in self.videos:
            path = self.videos[frame.sequence]
            look = self._raw if path.suffix == RAW_VIDEO else self._coded
            return frame_name(path, frame.number), path, *look(path, frame.number)
        if frame.name in self.pictures:
            path = self.pictures[frame.name]
            height, width = images.read_rgb(path).shape[:2]
            return path.stem, path, checksum(path), (width, height)
        names = f"neither {frame.sequence}{RAW_VIDEO} nor {frame.name}.png"
        raise UserError(f"{self.folder}: {names} is there, which {frame.labels} is of")

    def _raw(self, path: Path, number: int) -> tuple[str, Size]:
        data = raw_video.frame_bytes(path, number)
        return hashlib.sha256(data).hexdigest(), raw_video.shape(path)[:2]

    def _coded(self, path: Path, number: int) -> tuple[str, Size]:
        """Look at all frames once: to seek each of them takes long."""
        if path not in self.decoded:
            self.decoded[path] = [
                (coded_video.checksum(pixels), (pixels.shape[1], pixels.shape[0]))
                for pixels in coded_video.frames(path)
            ]
        if number >= len(self.decoded[path]):
            raise UserError(f"{path}: has {len(self.decoded[path])} frames, not frame {number}")
        return self.decoded[path][number]


def _lines(path: Path, tracks: bool) -> Iterator[tuple[dict[str, int], list[float]]]:
    """Yield category and, of tracks, object number, and the four shares of each line."""
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield _row(line.split(), tracks)
        except ValueError:
            form = "class object cx cy w h" if tracks else "class cx cy w h"
            said = f"{line.strip()!r:.60} is not {form!r}, with shares of the frame"
            raise UserError(f"{path}:{number}: {said}") from None


def _row(words: list[str], tracks: bool) -> tuple[dict[str, int], list[float]]:
    """Return what `_lines` yields; ValueError for another form."""
    integers, shares = words[: 1 + tracks], [float(word) for word in words[1 + tracks :]]
    number, *track = (int(word) for word in integers)
    if len(shares) != 4 or not all(map(math.isfinite, shares)) or not 0 <= number < len(IDS):
        raise ValueError
    if min(shares[2:]) < 0 or max(map(abs, shares)) > 2:
        raise ValueError
    return {"category_id": IDS[number]} | ({"object_id": track[0]} if tracks else {}), shares


def _object(labels: Mapping[str, int], shares: list[float], size: Size) -> dict[str, Any] | None:
    """Return an object as COCO has it, cut to the frame; None where nothing of it is left."""
    corners = []
    for centre, side, whole in zip(shares[:2], shares[2:], size, strict=True):
        low, high = (whole * min(max(centre + end * side / 2, 0.0), 1.0) for end in (-1, 1))
        corners.append((low, high - low))
    (x, width), (y, height) = corners
    if not width * height:
        return None
    return {**labels, "bbox": [x, y, width, height], "area": width * height, "iscrowd": 0}

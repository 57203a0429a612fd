"""How datasets are laid out; other packages publish theirs under ``nnrd.dataset_formats``."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from nnrd.core.registry import Registry
from nnrd.datasets.index import EVERYTHING, Draw, Index


class Format(ABC):
    """A layout of a dataset's files. Subclass it to add one.

    ``has_annotations``: the dataset's annotations are a file, or a folder, that has to exist.
    """

    has_annotations: ClassVar[bool] = True

    @abstractmethod
    def index(self, annotations: Path, folder: Path, draw: Draw = EVERYTHING) -> Index:
        """Return the items that ``draw`` takes of all, each looked at.

        ``annotations``: the ground truth, as the dataset's row names it; ``folder``: where the
        items' files are. `Draw.looked_at` is called with the rows of all items, their names, what
        looks at one and, where there are such, their speakers or classes: so items that cannot be
        used are skipped where the dataset's row says so.
        Raises UserError, naming the file, for what does not fit together.
        """


REGISTRY: Registry[type[Format]] = Registry(
    "nnrd.dataset_formats",
    "dataset format",
    {
        "asterisk": "nnrd.datasets.formats.asterisk:Asterisk",
        "coco": "nnrd.datasets.formats.coco:Coco",
        "labelled_images": "nnrd.datasets.formats.labelled_images:LabelledImages",
        "librispeech": "nnrd.datasets.formats.librispeech:LibriSpeech",
        "sfu_hw_objects": "nnrd.datasets.formats.sfu_hw:SfuHwObjects",
        "sfu_hw_tracks": "nnrd.datasets.formats.sfu_hw:SfuHwTracks",
        "sphinx": "nnrd.datasets.formats.sphinx:Sphinx",
        "transcripts": "nnrd.datasets.formats.transcripts:Transcripts",
    },
    of="nnrd.datasets.formats:Format",
)

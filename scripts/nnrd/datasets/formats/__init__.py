"""How datasets are laid out; other packages publish theirs under ``nnrd.dataset_formats``."""

from abc import ABC, abstractmethod
from pathlib import Path

from nnrd.core.registry import Registry
from nnrd.datasets.index import Index


class Format(ABC):
    """A layout of a dataset's files. Subclass it to add one."""

    @abstractmethod
    def index(self, annotations: Path, folder: Path, limit: int | None = None) -> Index:
        """Return the first ``limit`` items (None: all), each looked at.

        ``annotations``: the ground truth, as the dataset's row names it; ``folder``: where the
        items' files are. Raises UserError, naming the file, for what does not fit together.
        """


REGISTRY: Registry[type[Format]] = Registry(
    "nnrd.dataset_formats",
    "dataset format",
    {
        "asterisk": "nnrd.datasets.formats.asterisk:Asterisk",
        "coco": "nnrd.datasets.formats.coco:Coco",
        "labelled_images": "nnrd.datasets.formats.labelled_images:LabelledImages",
        "librispeech": "nnrd.datasets.formats.librispeech:LibriSpeech",
        "transcripts": "nnrd.datasets.formats.transcripts:Transcripts",
    },
)

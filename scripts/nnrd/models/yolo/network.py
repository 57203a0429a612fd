"""The YOLO of a row's variant: ``v2``, ``v2-tiny`` or ``v4``."""

from collections.abc import Callable

from torch import nn

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown
from nnrd.models.export import Export
from nnrd.models.network import Network
from nnrd.models.yolo import yolo2, yolo4

VARIANTS: dict[str, tuple[Callable[[], nn.Module], Export]] = {
    "v2": (yolo2.YoloV2, yolo2.YOLO2),
    "v2-tiny": (yolo2.tiny, yolo2.TINY_YOLO2),
    "v4": (yolo4.YoloV4, yolo4.YOLO4),
}


class YoloNetwork(Network):
    """A YOLO without the decoding of its boxes."""

    @property
    def export(self) -> Export:
        """How the variant is written as ONNX."""
        return self._variant()[1]

    def build(self) -> nn.Module:
        """Return the variant's network."""
        return self._variant()[0]()

    def _variant(self) -> tuple[Callable[[], nn.Module], Export]:
        if self.row.variant not in VARIANTS:
            raise UserError(unknown("variant of yolo", self.row.variant, VARIANTS))
        return VARIANTS[self.row.variant]

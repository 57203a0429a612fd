"""Which inputs the models of a family take when they are measured on made ones."""

from dataclasses import dataclass

from nnrd.core.errors import UserError

FRAMES, FRAME_SECONDS = "frames", 0.01  # of sound: what the size of an input counts, and one's time


@dataclass(frozen=True)
class Inputs:
    """The sizes and batches of inputs.

    ``sizes``: what the size of an input counts where a model takes several, such as `FRAMES`; None
    where there is one. ``batched``: whether the network takes several inputs at once, along the
    first dimension of each array. ``seconds``: of an input that is a recording of one size.
    """

    sizes: str | None = None
    batched: bool = False
    seconds: float | None = None

    def check(self, size: int | None, batch: int = 1) -> None:
        """Raise UserError, without the model's name, for a size or a batch that it cannot take."""
        if self.sizes is None and size is not None:
            raise UserError("its input has one size: give no sizes")
        if self.sizes is not None and size is None:
            raise UserError(f"its input has any size: say how many {self.sizes}")
        if size is not None and size < 1:
            raise UserError(f"{size} {self.sizes}: at least 1")
        if batch < 1 or (batch > 1 and not self.batched):
            raise UserError(f"a batch of {batch}: it takes one input at a time")

    def length(self, size: int | None) -> float | None:
        """Return how long a recording of a size is, in seconds; None of what is no recording."""
        return size * FRAME_SECONDS if size is not None and self.sizes == FRAMES else self.seconds

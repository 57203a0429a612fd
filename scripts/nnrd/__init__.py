"""nnrd: what it costs to send neural networks, and the tensors inside them, over a network."""

from nnrd.core.errors import BitstreamError, UserError

__all__ = ["BitstreamError", "UserError", "__version__"]
__version__ = "0.2.0"

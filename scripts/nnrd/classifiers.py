"""What stands around networks that classify photos."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import torch

from nnrd.images import read_rgb

MOST = 5  # classes


def predict(
    model: torch.nn.Module,
    items: Iterable[Mapping],
    preprocess: Callable[[torch.Tensor], torch.Tensor],
) -> Iterator[tuple[dict, float]]:
    """Yield ``item`` and ``classes``, the five likeliest, of each photo, and its seconds.

    ``preprocess`` makes the network's input, float32 (3, height, width), of uint8 RGB (3, height,
    width); its time counts.
    """
    device = next(model.parameters()).device
    for item in items:
        photo = torch.tensor(read_rgb(item["path"])).permute(2, 0, 1)
        start = time.perf_counter()
        with torch.inference_mode():
            scores = model(preprocess(photo)[None].to(device))[0].float().cpu()
        # NaN, which badly damaged weights can give, would stand first.
        classes = scores.nan_to_num(-torch.inf).topk(MOST).indices.tolist()
        yield {"item": item["name"], "classes": classes}, time.perf_counter() - start

"""Boxes drawn into images, as pixels: one look for overlays, images and videos."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from nnrd.core.errors import UserError
from nnrd.datasets import masks

# Seaborn's colour-blind palette, which the plots have too; a category's is by its id.
COLOURS = (
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"),
)
TRUTH = "#ffffff"  # of the ground truth, on a black rim
SMALLEST_TEXT = 10  # pixels


def boxes(
    image: np.ndarray,
    rows: Iterable[Mapping[str, Any]],
    name: Callable[[int], str],
    scale: float = 1.0,
) -> np.ndarray:
    """Return a copy of an image, uint8 RGB (height, width, 3), with boxes drawn into it.

    ``rows``: ``category_id``, ``bbox`` (x, y, width, height in pixels, times ``scale`` those of
    the image), and ``score``, without which a box is one of the ground truth and is white. A
    ``segmentation``, as `nnrd.datasets.masks` has it, is filled. ``name``: of a category. Raises
    UserError for a mask that is none, or of another size.
    """
    rows = list(rows)
    canvas = Image.fromarray(_filled(image, rows, scale))
    draw = ImageDraw.Draw(canvas)
    side = max(image.shape[:2])
    width, font = max(2, round(side / 400)), _font(max(SMALLEST_TEXT, round(side / 50)))
    for row in rows:
        x, y, across, down = (scale * value for value in row["bbox"])
        corners = (x, y, x + across, y + down)
        colour, label = _look(row, name)
        if colour == TRUTH:
            draw.rectangle(corners, outline="black", width=2 * width)
        draw.rectangle(corners, outline=colour, width=width)
        _write(draw, label, corners, colour, font)
    return np.asarray(canvas)


def _filled(image: np.ndarray, rows: Iterable[Mapping[str, Any]], scale: float) -> np.ndarray:
    """Return a copy of an image with half of the colour where masks are."""
    found = image.copy()
    for row in rows:
        if not isinstance(row.get("segmentation"), dict):
            continue
        mask = masks.decode(row["segmentation"])
        height, width = image.shape[:2]
        if scale != 1:
            mask = np.asarray(
                Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)
            )
        if mask.shape != (height, width):
            said = f"{mask.shape[1]}x{mask.shape[0]} pixels, the image {width}x{height}"
            raise UserError(f"segmentation: a mask of {said}")
        colour = ImageColor.getrgb(COLOURS[row["category_id"] % len(COLOURS)])
        found[mask] = (found[mask].astype(np.uint16) + np.array(colour, np.uint16)) // 2
    return found


def _look(row: Mapping[str, Any], name: Callable[[int], str]) -> tuple[str, str]:
    """Return colour and label of a box."""
    number = row["category_id"]
    if "score" not in row:
        return TRUTH, name(number)
    return COLOURS[number % len(COLOURS)], f"{name(number)} {row['score']:.2f}"


def _write(
    draw: ImageDraw.ImageDraw,
    label: str,
    corners: tuple[float, float, float, float],
    colour: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Write a label above its box, within it where the image ends there."""
    left, _, right, bottom = draw.textbbox((0, 0), label, font=font)
    x, height = max(0.0, corners[0]), bottom + 2
    y = corners[1] - height if corners[1] >= height else max(0.0, corners[1])
    draw.rectangle((x, y, x + right - left + 4, y + height), fill=colour)
    draw.text((x + 2, y), label, fill=_ink(colour), font=font)


def _ink(colour: str) -> str:
    """Return black on light colours and white on dark ones."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "white"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)

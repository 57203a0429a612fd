"""Draw the anchor's detections and a point's, side by side on the images that differ most."""

from nnrd.core.program import run
from nnrd.stages import draw_overlays

if __name__ == "__main__":
    run(draw_overlays)

"""List the images of a dataset on which a detector is perfect."""

from nnrd.core.program import run
from nnrd.stages import select_images

if __name__ == "__main__":
    run(select_images)

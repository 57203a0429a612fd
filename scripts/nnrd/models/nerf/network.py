"""NeRF: a scene as a network from positions and directions to colours and densities."""

import torch
from torch import nn

from nnrd.models.export import Export
from nnrd.models.network import Network

SAMPLES = 1024


class Nerf(nn.Module):
    """The network of Mildenhall et al., positional encoding included.

    Positions float32 (N, 3) and unit directions (N, 3) to colour and density (N, 4).
    """

    def __init__(self, position_bands: int = 10, direction_bands: int = 4, width: int = 256):
        super().__init__()
        self.bands = position_bands, direction_bands
        seen, facing = (3 + 6 * count for count in self.bands)
        inner = [seen, *[width] * 4, width + seen, width, width]
        self.layers = nn.ModuleList(nn.Linear(size, width) for size in inner)
        self.density = nn.Linear(width, 1)
        self.feature = nn.Linear(width, width)
        self.view = nn.Linear(width + facing, width // 2)
        self.colour = nn.Linear(width // 2, 3)

    def forward(self, positions: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        """Return colours and densities of samples."""
        seen = encode(positions, self.bands[0])
        facing = encode(directions, self.bands[1])
        hidden = seen
        for index, layer in enumerate(self.layers):
            hidden = torch.relu(layer(torch.cat([seen, hidden], 1) if index == 5 else hidden))
        density = self.density(hidden)
        view = torch.relu(self.view(torch.cat([self.feature(hidden), facing], 1)))
        return torch.cat([self.colour(view), density], 1)


def encode(values: torch.Tensor, bands: int) -> torch.Tensor:
    """Return values beside the sines and cosines of their multiples by powers of two."""
    waves = [f(values * 2.0**band) for band in range(bands) for f in (torch.sin, torch.cos)]
    return torch.cat([values, *waves], 1)


class NerfNetwork(Network):
    """The network on a batch of samples."""

    export = Export(
        example=((SAMPLES, 3), (SAMPLES, 3)),
        inputs=("positions", "directions"),
        source="Mildenhall et al., NeRF (2020)",
    )

    def build(self) -> nn.Module:
        """Return a `Nerf`."""
        return Nerf()

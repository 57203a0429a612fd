"""Export an architecture to ONNX."""

import argparse

from nnrd import program


def main(arguments: argparse.Namespace) -> None:
    """Build the network, give it weights and write it."""
    import torch

    from nnrd import architectures
    from nnrd.architectures.base import load

    torch.set_num_threads(arguments.threads)
    architecture = architectures.get(arguments.architecture)
    network = load(architecture, arguments.weights, arguments.seed)
    architectures.export(architecture, network, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("architecture", help="its name; a wrong one is answered with the list")
    parser.add_argument("out", help="the ONNX file to write")
    parser.add_argument(
        "--weights",
        default="random",
        help="random, published (fetched from their source), or a PyTorch state dict's file",
    )
    parser.add_argument("--seed", type=int, default=0, help="of random weights")
    parser.add_argument("--threads", type=int, default=1)
    return parser


if __name__ == "__main__":
    program.run(main, parser())

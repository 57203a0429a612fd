"""How small networks are trained here: in few epochs, the same on each call."""

import random
from collections.abc import Callable, MutableSequence
from typing import TypeVar

import torch
from torch import nn

SEED = 0
BATCH = 16  # recordings
LONGEST_STEP = 5.0  # norm of a gradient

Model = TypeVar("Model", bound=nn.Module)
Batch = TypeVar("Batch")


def set_up() -> None:
    """Let what follows, such as building a network, be the same on each call: a thread, a seed."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)


def fit(
    model: Model,
    batches: MutableSequence[Batch],
    loss: Callable[[Model, Batch], torch.Tensor],
    epochs: int,
    fastest: float,
    rising: float,
) -> None:
    """Train a network on batches, in another order each epoch; it is left in eval mode.

    ``fastest``: the highest learning rate, which is reached after the share ``rising`` of all
    steps (OneCycleLR of PyTorch).
    """
    learner = torch.optim.AdamW(model.parameters(), fastest, weight_decay=1e-4)
    steps = epochs * len(batches)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        learner, fastest, total_steps=steps, pct_start=rising
    )
    order = random.Random(SEED)
    model.train()
    for _ in range(epochs):
        order.shuffle(batches)
        for batch in batches:
            learner.zero_grad()
            loss(model, batch).backward()
            nn.utils.clip_grad_norm_(model.parameters(), LONGEST_STEP)
            learner.step()
            rates.step()
    model.eval()

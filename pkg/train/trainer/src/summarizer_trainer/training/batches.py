"""Which examples are in a batch, and how they become tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler

from .loss import IGNORED

Examples = Sequence[dict[str, Any]]
Collator = Callable[[Examples], dict[str, Any]]


class ShuffledSteps(Sampler[int]):  # type: ignore[misc]
    """The order of the examples in the whole run: each epoch is shuffled, each step of the optimizer sorted by length.

    The batches that a step accumulates then need little padding, while every step sees what plain shuffling gives it.
    The order follows from the seed alone, so that it is the same after a resume.
    """

    def __init__(self, lengths: Sequence[int], step: int, steps: int, seed: int) -> None:
        """`lengths` in tokens; `step` is the number of examples that each of the `steps` of the optimizer sees."""
        self._lengths, self._step, self._steps, self._seed = lengths, step, steps, seed

    def __len__(self) -> int:
        return self._step * self._steps

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed)
        order: list[int] = []
        for _ in range(self._steps):
            while len(order) < self._step:
                order += torch.randperm(len(self._lengths), generator=generator).tolist()
            step, order = order[: self._step], order[self._step :]
            yield from sorted(step, key=lambda i: -self._lengths[i])

    def tokens(self) -> list[int]:
        """The tokens of each step."""
        order = [self._lengths[i] for i in self]
        return [sum(order[start : start + self._step]) for start in range(0, len(order), self._step)]


def steps_of(epochs: float, examples: int, step: int) -> int:
    """How many steps of `step` examples make so many epochs, the last step being filled up."""
    return max(math.ceil(epochs * examples / step), 1)


def pack(examples: Examples) -> dict[str, Any]:
    """Lays examples one after another in one row; `lengths` (tokens of each) goes to `attention`."""
    lengths = [len(example["input_ids"]) for example in examples]
    return {
        "input_ids": torch.tensor([[i for example in examples for i in example["input_ids"]]]),
        # The first token of an example follows none, least of all the last one of the example before it.
        "labels": torch.tensor([[i for example in examples for i in (IGNORED, *example["labels"][1:])]]),
        "position_ids": torch.cat([torch.arange(length) for length in lengths])[None],
        "lengths": lengths,
    }


def pack_for_flash(examples: Examples) -> dict[str, Any]:
    """The same with what flash attention wants to know of the examples' bounds."""
    batch = pack(examples)
    lengths = batch.pop("lengths")
    bounds = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
    return {
        **batch,
        "cu_seq_lens_q": bounds,
        "cu_seq_lens_k": bounds,
        "max_length_q": max(lengths),
        "max_length_k": max(lengths),
    }


def pad(examples: Examples) -> dict[str, Any]:
    """Pads examples on the right to the longest of them.

    There is no mask of the padding: under causal attention no token sees what is to its right, and padding carries no
    loss. Without a mask attention has faster kernels.
    """
    longest = max(len(example["input_ids"]) for example in examples)

    def rows(field: str, filler: int) -> torch.Tensor:
        return torch.tensor([[*e[field], *[filler] * (longest - len(e[field]))] for e in examples])

    return {"input_ids": rows("input_ids", 0), "labels": rows("labels", IGNORED)}

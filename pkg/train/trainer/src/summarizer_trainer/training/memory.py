"""Gradient checkpointing of as few layers as the memory asks for: each saves memory and costs its forward twice."""

from __future__ import annotations

import math
from typing import Any

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from ..spec import Training
from . import device

# What the allocator's fragments, the gradients of a layer and the optimizer leave of the memory.
_USABLE = 0.8


def checkpoint_layers(training: Training, model: Any, batch: dict[str, Any], tokens: int, where: torch.device) -> int:
    """Switches gradient checkpointing on for as many layers as needed, and returns their number.

    What a layer keeps for its gradient is measured on `batch`, which is small, for the largest batch of `tokens`. On a
    CPU nothing is checkpointed unless it is asked for.
    """
    layers = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    count = {"on": len(layers), "off": 0}.get(training.gradientCheckpointing)
    if count is None:
        count = 0
        if where.type == "cuda":
            batch = {key: value.to(where) if torch.is_tensor(value) else value for key, value in batch.items()}
            with torch.autocast("cuda", dtype=torch.bfloat16):
                each = kept_bytes(model, batch) / batch["input_ids"].numel() * tokens / len(layers)
            count = needed(len(layers), each, device.free_bytes(where))
    if count:
        model.get_base_model().gradient_checkpointing_enable({"use_reentrant": False})
        for layer in layers[count:]:
            layer.gradient_checkpointing = False
    return count


def needed(layers: int, each: float, free: float) -> int:
    """How many of so many layers must be checkpointed where each keeps `each` bytes and `free` bytes are left."""
    # One layer is computed again while the gradients of another are made.
    room = free * _USABLE - 2 * each
    return min(max(layers - math.floor(room / each), 0), layers)


def kept_bytes(model: Any, batch: dict[str, Any]) -> int:
    """What one forward keeps for the gradient, beside the weights; all of it is released again."""
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    model.train()
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        # Bound to a name: while the loss is there, no memory is used twice.
        value = model(**batch)
    for parameter in model.parameters():
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    del value
    return sum(kept.values())

"""Gradient checkpointing of as few layers as the memory asks for: each saves memory and costs its forward twice."""

from __future__ import annotations

import math
from typing import Any

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from ..spec import Training

# What the allocator's fragments, the gradients of a layer and the optimizer leave of the memory.
_USABLE = 0.8
_GIB = 2**30


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
            count = needed(len(layers), each, _free(where))
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


def peak_gib(where: torch.device) -> float:
    """The most memory that was in use so far: of the GPU, or of this process on a CPU."""
    if where.type == "cuda":
        return float(torch.cuda.max_memory_reserved(where)) / _GIB
    with open("/proc/self/status", encoding="ascii") as lines:
        kibibytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return kibibytes * 1024 / _GIB


def _free(where: torch.device) -> float:
    """The memory of the GPU that this process may still take."""
    limit = torch.cuda.get_device_properties(where).total_memory * torch.cuda.get_per_process_memory_fraction(where)
    free, _ = torch.cuda.mem_get_info(where)
    return float(min(free, limit - torch.cuda.memory_reserved(where)))

"""Both sides of the comparison get the same memory of the GPU, and it is read in the same way."""

import os
from typing import Any

L4_GIB = 22.03
"""What an NVIDIA L4 gives its programs of its 24 GB."""

VARIABLE = "BENCH_MEMORY_GIB"
"""How much memory of the GPU a process may take; all of it when it is not set."""


def apply() -> None:
    """Caps the memory of the first GPU, when a cap is set."""
    cap = os.environ.get(VARIABLE)
    if cap:
        import torch

        torch.cuda.set_per_process_memory_fraction(
            float(cap) * 2**30 / torch.cuda.get_device_properties(0).total_memory
        )


def peak_gib(where: Any) -> float:
    """The most memory that was in use so far."""
    from summarizer_trainer.training import device

    return device.peak_gib(where)

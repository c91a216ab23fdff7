"""The device that a training runs on. No more than torch is imported here: what is not there is said at once."""

from __future__ import annotations

import os

import torch

from ..errors import RefusedError
from ..spec import Training

_GIB = 2**30


def choose(training: Training) -> torch.device:
    """The device of this process; raises RefusedError when a GPU was asked for and there is none."""
    if training.device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise RefusedError(
            f"a GPU was asked for and torch {torch.__version__} sees none (built for CUDA {torch.version.cuda})",
            next="check the node's driver and the pod's GPU request, or ask for the CPU: training.device: cpu",
        )
    # torchrun says how many processes share this node; training.gpus are of all nodes.
    wanted = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if torch.cuda.device_count() < wanted:
        raise RefusedError(
            f"the run needs {wanted} GPUs here (training.gpus is {training.gpus}), and torch sees "
            f"{torch.cuda.device_count()}",
            next="give the pod as many GPUs as the run asks for",
        )
    chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(chosen)
    return chosen


def name(where: torch.device) -> str:
    """What the device is called in the result."""
    if where.type == "cuda":
        return str(torch.cuda.get_device_name(where))
    return f"CPU, {torch.get_num_threads()} threads"


def peak_gib(where: torch.device) -> float:
    """The most memory that was in use so far: of the GPU, or of this process on a CPU."""
    if where.type == "cuda":
        return float(torch.cuda.max_memory_reserved(where)) / _GIB
    with open("/proc/self/status", encoding="ascii") as lines:
        kibibytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return kibibytes * 1024 / _GIB


def free_bytes(where: torch.device) -> float:
    """The memory of a GPU that this process may still take."""
    limit = torch.cuda.get_device_properties(where).total_memory * torch.cuda.get_per_process_memory_fraction(where)
    free, _ = torch.cuda.mem_get_info(where)
    return float(min(free, limit - torch.cuda.memory_reserved(where)))

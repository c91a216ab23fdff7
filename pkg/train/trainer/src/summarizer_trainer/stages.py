"""The stage `train`: trains, judges and writes the result, each in a process of its own and each only once."""

import json
import os
import pathlib
import sys
from typing import Any, cast

from . import adapter, children, machine, result
from .errors import RefusedError
from .evaluation import child
from .events import Events
from .layout import Layout, Prepared, write_json
from .spec import Spec

# Where Debian's package libtcmalloc-minimal4 has it, which the serving image installs for vLLM.
_TCMALLOC = "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4"
# The rest of the grace time is for this process's last words.
_RESERVE_SECONDS = 5.0


def train(path: pathlib.Path, spec: Spec, layout: Layout, events: Events) -> None:
    """Runs the stage; raises the TrainerError that ends it. What an earlier attempt has done is not done again."""
    prepared = Prepared.load(layout.prepared)
    figures = _trained(layout)
    if figures is None:
        children.run(_command(path, spec), "the training", events, _stop_seconds(), environment(spec))
        if int(os.environ.get("PET_NODE_RANK", "0")) > 0:
            # The first node judges, and writes the result.
            return
        figures = _trained(layout)
        if figures is None:
            raise RefusedError(f"the training left no adapter in {layout.adapter}")
    judged = None
    if spec.evaluation.engine != "none":
        _write_result(result.build(spec, layout, prepared, figures, None), layout, events)
        judged = child.judge(path, layout, events)
    final = result.build(spec, layout, prepared, figures, judged)
    _write_result(final, layout, events)
    events.emit("result", result=result.short(final))


def _write_result(value: dict[str, Any], layout: Layout, events: Events) -> None:
    write_json(layout.result, value)
    events.keep("result.json", value)


def _trained(layout: Layout) -> dict[str, Any] | None:
    """The figures of a training that was finished: training.json is written last, and names the adapter's checksum."""
    try:
        figures = cast(dict[str, Any], json.loads((layout.run / "training.json").read_text(encoding="utf-8")))
        return figures if adapter.sha256(layout.adapter / adapter.WEIGHTS) == figures["adapter"] else None
    except (OSError, ValueError, KeyError):
        return None


def _command(path: pathlib.Path, spec: Spec) -> list[str]:
    module = ["-m", "summarizer_trainer.training", str(path)]
    if spec.training.gpus == 1:
        return [sys.executable, *module]
    # Kubeflow's Trainer tells torchrun of the nodes by PET_ variables.
    here = [] if "PET_NNODES" in os.environ else ["--standalone", "--nproc-per-node", str(spec.training.gpus)]
    return [sys.executable, "-m", "torch.distributed.run", *here, *module]


def environment(spec: Spec) -> dict[str, str]:
    """What the training process reads at its start."""
    found = {"TOKENIZERS_PARALLELISM": "false", "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}
    if spec.training.device == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        # By itself torch starts a thread for each core of the machine, however few the container may use.
        found["OMP_NUM_THREADS"] = str(machine.cores())
    if spec.training.device == "cpu" and "LD_PRELOAD" not in os.environ and pathlib.Path(_TCMALLOC).exists():
        # glibc gives large blocks back to the kernel and takes them anew, page by page: a third of the time.
        found["LD_PRELOAD"] = _TCMALLOC
    return found


def _stop_seconds() -> float:
    """How long a checkpoint may take once SIGTERM has come."""
    return max(float(os.environ.get("TERMINATION_GRACE_SECONDS", "30")) - _RESERVE_SECONDS, 1.0)

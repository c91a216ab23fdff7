"""Judges in a child process: neither what it takes of the GPU nor a crash of the engine is left to this one."""

import json
import pathlib
import sys
from typing import Any, cast

from .. import children
from ..events import Events
from ..layout import Layout

# Within what the kubelet leaves a pod to end.
_STOP_SECONDS = 10.0


def judge(run_path: pathlib.Path, layout: Layout, events: Events) -> dict[str, Any]:
    """Judges the run of a run.yaml; returns `evaluation` of result.json, and tells the child's events as its own.

    Raises the TrainerError that the child ended with, InterruptedRunError when only the child was told to stop.
    Whatever ends the wait for it, such as a signal's exception, ends the child too.
    """
    command = [sys.executable, "-m", "summarizer_trainer.evaluation", str(run_path)]
    children.run(command, "the judging", events, _STOP_SECONDS)
    result = json.loads((layout.run / "evaluation.json").read_text(encoding="utf-8"))
    events.keep("scores.json", json.loads((layout.run / "scores.json").read_text(encoding="utf-8")))
    return cast(dict[str, Any], result)

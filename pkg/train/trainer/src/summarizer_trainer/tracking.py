"""Tells trackers of the training: TensorBoard's files always, Weights & Biases when it is asked for. Never fatal."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from .errors import one_line
from .events import Events
from .layout import Layout
from .spec import Spec

# Long enough for a slow network, short beside a GPU's hour.
_INIT_SECONDS = 30


class Tracker(TrainerCallback):  # type: ignore[misc]
    """Passes on what the trainer logs; after an error it says so once, and is silent."""

    def __init__(
        self, name: str, write: Callable[[dict[str, float], int], None], close: Callable[[], None], events: Events
    ):
        self.name = name
        self.wandb: dict[str, str] | None = None
        self._write: Callable[[dict[str, float], int], None] | None = write
        self._close = close
        self._events = events

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, Any], **_: Any
    ) -> None:
        """Writes the figures of a step."""
        figures = {key: float(value) for key, value in logs.items() if isinstance(value, int | float)}
        self._try(lambda: self._write(figures, state.global_step) if self._write else None)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Closes the files."""
        self._try(self._close)

    def _try(self, action: Callable[[], None]) -> None:
        if self._write is None:
            return
        try:
            action()
        except Exception as error:
            self._write = None
            self._events.warning(f"{self.name} is told no more of this run: {one_line(error)}")


def callbacks(spec: Spec, layout: Layout, events: Events) -> list[Tracker]:
    """The trackers of a run."""
    found = []
    for make in (_tensorboard, _wandb):
        try:
            tracker = make(spec, layout, events)
        except Exception as error:
            events.warning(f"the run is not tracked by {make.__name__[1:]}: {one_line(error)}")
            continue
        if tracker is not None:
            found.append(tracker)
    return found


def summary(trackers: list[Tracker]) -> dict[str, Any]:
    """`wandb` of the result, when it was told."""
    return next(({"wandb": tracker.wandb} for tracker in trackers if tracker.wandb), {})


def _tensorboard(spec: Spec, layout: Layout, events: Events) -> Tracker:
    from tensorboardX import SummaryWriter

    layout.tensorboard.mkdir(parents=True, exist_ok=True)
    writer = SummaryWriter(str(layout.tensorboard))

    def write(figures: dict[str, float], step: int) -> None:
        for key, value in figures.items():
            writer.add_scalar(_group(key), value, step)
        writer.flush()

    return Tracker("TensorBoard", write, writer.close, events)


def _wandb(spec: Spec, layout: Layout, events: Events) -> Tracker | None:
    asked = spec.tracking.wandb
    mode = asked.mode
    if mode == "auto":
        mode = "online" if os.environ.get("WANDB_API_KEY") else "off"
    if mode == "off":
        return None
    import wandb

    layout.wandb.mkdir(parents=True, exist_ok=True)
    settings = wandb.Settings(init_timeout=_INIT_SECONDS, console="off", silent=True)
    # The same in every attempt, and another in another cluster's run of that name.
    identity = f"{spec.name}-{hashlib.sha256(str(layout.run.stat().st_ino).encode()).hexdigest()[:8]}"

    def start(mode: Any) -> Any:
        return wandb.init(
            project=asked.project,
            entity=asked.entity or None,
            name=spec.name,
            id=identity,
            resume="allow",
            mode=mode,
            dir=str(layout.wandb),
            config=asdict(spec),
            settings=settings,
        )

    try:
        run = start(mode)
    except Exception as error:
        if mode == "offline":
            raise
        events.warning(
            f"Weights & Biases cannot be reached ({one_line(error)}): the run is kept in "
            f"{layout.wandb.relative_to(layout.volume)}, for `wandb sync`"
        )
        mode, run = "offline", start("offline")

    def write(figures: dict[str, float], step: int) -> None:
        run.log({_group(key): value for key, value in figures.items()}, step=step)

    tracker = Tracker("Weights & Biases", write, run.finish, events)
    tracker.wandb = {"id": identity, "mode": mode, **({"url": run.url} if mode == "online" and run.url else {})}
    return tracker


def _group(key: str) -> str:
    """The name of a figure with the split that it is of."""
    return f"eval/{key.removeprefix('eval_')}" if key.startswith("eval_") else f"train/{key}"

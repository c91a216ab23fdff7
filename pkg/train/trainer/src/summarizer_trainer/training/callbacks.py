"""What happens between steps: progress is told, and a signal ends the training after a checkpoint."""

from __future__ import annotations

import itertools
import signal
import time
from types import FrameType
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..events import Events
from . import device


class Interruption(TrainerCallback):  # type: ignore[misc]
    """On SIGTERM or Ctrl-C: finishes the step, writes a checkpoint and stops."""

    def __init__(self) -> None:
        self.asked = ""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = signal.Signals(number).name

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Stops here when it was asked for."""
        asked = bool(self.asked)
        if args.world_size > 1:
            # All processes stop after the same step, or those that go on wait for the others for ever.
            flag = torch.tensor(int(asked), device=args.device)
            torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
            asked = bool(flag)
        if asked:
            self.asked = self.asked or "SIGTERM"
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False
        return control


class Progress(TrainerCallback):  # type: ignore[misc]
    """Tells steps, evaluations and checkpoints as events, and keeps the time that steps take."""

    def __init__(
        self, events: Events, interruption: Interruption, tokens: list[int], examples: float, where: torch.device
    ) -> None:
        """`tokens` are those of each step; `examples` is the share of an epoch that a step sees."""
        self.eval_loss: float | None = None
        self.eval_step = -1
        self.seconds = 0.0
        """Of all steps of the run; what evaluating and saving take is not among them."""
        self._events, self._interruption, self._where = events, interruption, where
        self._tokens = list(itertools.accumulate(tokens, initial=0))
        self._examples = examples
        self._mark = 0.0
        self._told = (0, 0.0)

    def tokens(self, first: int, last: int) -> int:
        """The tokens of all steps after `first` up to `last`, padding left out."""
        return self._tokens[last] - self._tokens[first]

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Starts the clock, which goes on from where the checkpoint was written."""
        self.seconds = next((entry["seconds"] for entry in reversed(state.log_history) if "seconds" in entry), 0.0)
        self._mark, self._told = time.monotonic(), (state.global_step, self.seconds)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        """Counts the time, and has it logged with each checkpoint."""
        now = time.monotonic()
        self.seconds += now - self._mark
        self._mark = now
        control.should_log = control.should_log or control.should_save
        return control

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, Any], **_: Any
    ) -> None:
        """Tells a step."""
        if "loss" not in logs:
            return
        # The history is part of a checkpoint.
        state.log_history[-1]["seconds"] = self.seconds
        step, (told, seconds) = state.global_step, self._told
        self._told = (step, self.seconds)
        if not state.is_world_process_zero:
            return
        self._events.emit(
            "step",
            step=step,
            total=state.max_steps,
            epoch=round(step * self._examples, 4),
            loss=round(float(logs["loss"]), 4),
            learningRate=logs.get("learning_rate", 0.0),
            gradNorm=round(float(logs.get("grad_norm", 0.0)), 4),
            tokensPerSecond=round(self.tokens(told, step) / max(self.seconds - seconds, 1e-9), 1),
            etaSeconds=round((state.max_steps - step) * self.seconds / step),
            memoryGiB=round(device.peak_gib(self._where), 2),
        )

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: dict[str, Any], **_: Any
    ) -> None:
        """Tells the loss of the validation split."""
        self.eval_loss, self.eval_step = float(metrics["eval_loss"]), state.global_step
        if state.is_world_process_zero:
            self._events.emit("eval", step=state.global_step, loss=round(self.eval_loss, 4))
        self._mark = time.monotonic()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Tells a checkpoint."""
        if state.is_world_process_zero:
            last = "end" if state.global_step >= state.max_steps else "steps"
            reason = "interrupted" if self._interruption.asked else last
            self._events.emit("checkpoint", step=state.global_step, reason=reason)
        self._mark = time.monotonic()

"""One training, from the base model to the adapter on the volume."""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import Any

import torch
from transformers import PrinterCallback, set_seed
from trl import SFTConfig

from .. import adapter, tokens, tracking
from ..errors import InterruptedRunError, RefusedError
from ..events import Events
from ..layout import Layout, Prepared, write_json
from ..spec import Spec
from . import checkpoints, dataset, device, memory, model
from .batches import ShuffledSteps, steps_of
from .callbacks import Interruption, Progress
from .trainer import LoRATrainer

KEPT_CHECKPOINTS = 2
"""Whole checkpoints that stay on the volume."""


def run(spec: Spec, layout: Layout, prepared: Prepared, events: Events) -> None:
    """Trains, or goes on from the newest whole checkpoint; leaves adapter/ and, last of all, training.json.

    Raises InterruptedRunError after SIGTERM, once a checkpoint was written.
    """
    first = int(os.environ.get("RANK", "0")) == 0
    interruption = Interruption()
    t = spec.training
    where = device.choose(t)
    set_seed(t.seed)
    checkpoint, skipped = checkpoints.newest(layout.checkpoints)
    resumed_at = checkpoints.step_of(checkpoint)
    if first:
        checkpoints.discard(layout.checkpoints, skipped)
        if checkpoint or skipped:
            events.emit("resume", step=resumed_at, skipped=skipped)
        events.phase("load", f"{spec.model.id} on {device.name(where)}")
    tokenizer = tokens.load(prepared.model)
    data = pathlib.Path(prepared.data)
    training, validation = (dataset.load(data / f"{split}.jsonl", tokenizer, spec) for split in ("train", "validation"))
    if len(training) == 0:
        raise RefusedError("no example is left to train on", next="give more data, or raise training.maxLength")
    lengths = [len(ids) for ids in training["input_ids"]]
    steps = t.maxSteps or steps_of(t.epochs, len(lengths), t.effectiveBatchSize)
    order = ShuffledSteps(lengths, t.effectiveBatchSize, steps, t.seed)
    tuned = model.load(prepared.model, t, spec.lora, where)
    progress = Progress(
        events if first else Events(), interruption, order.tokens(), t.effectiveBatchSize / len(lengths), where
    )
    trackers = tracking.callbacks(spec, layout, events) if first else []
    trainer = LoRATrainer(
        model=tuned,
        args=_arguments(spec, layout, steps, len(validation) > 0),
        data_collator=model.collator(t, tuned),
        train_dataset=training,
        eval_dataset=validation if len(validation) else None,
        processing_class=tokenizer,
        callbacks=[interruption, progress, *trackers],
        order=order,
    )
    # It prints what the events say.
    trainer.remove_callback(PrinterCallback)
    largest = sum(sorted(lengths)[-t.batchSize :])
    again = memory.checkpoint_layers(t, tuned, trainer.data_collator([training[0]]), largest, where)
    if first:
        kept = f", activations of {again} layers are computed again" if again else ""
        events.phase("train", f"{len(lengths)} examples, {steps} steps{kept}")
    if interruption.asked:
        raise InterruptedRunError(f"stopped by {interruption.asked} before the first step", resumed_at)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    step = trainer.state.global_step
    if interruption.asked:
        raise InterruptedRunError(f"stopped by {interruption.asked} after a checkpoint at step {step}", step)
    if len(validation) and progress.eval_step != step:
        trainer.evaluate()
    if first:
        events.phase("save", str(layout.adapter.relative_to(layout.volume)))
        _save(trainer.model, layout)
        figures = {
            **_figures(trainer, progress, where),
            "epochs": round(step * t.effectiveBatchSize / len(lengths), 2),
            "resumed": _resumes(layout) if checkpoint else 0,
            "seed": t.seed,
            "adapter": adapter.check(layout.adapter, pathlib.Path(prepared.model)).sha256,
        }
        write_json(layout.run / "training.json", {**figures, **tracking.summary(trackers)})


def _arguments(spec: Spec, layout: Layout, steps: int, validates: bool) -> SFTConfig:
    t = spec.training
    return SFTConfig(
        output_dir=str(layout.checkpoints),
        max_steps=steps,
        per_device_train_batch_size=t.batchSize,
        per_device_eval_batch_size=t.batchSize,
        gradient_accumulation_steps=t.effectiveBatchSize // (t.batchSize * t.gpus),
        learning_rate=t.learningRate,
        lr_scheduler_type="cosine",
        warmup_steps=t.warmupRatio,
        weight_decay=t.weightDecay,
        bf16=True,
        use_cpu=t.device == "cpu",
        # `memory` decides of it, layer by layer.
        gradient_checkpointing=False,
        ddp_find_unused_parameters=False,
        # Examples have their tokens and labels, and are within the length.
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        seed=t.seed,
        logging_steps=t.logSteps,
        logging_first_step=True,
        # A loss that is no number must be seen.
        logging_nan_inf_filter=False,
        save_steps=t.saveSteps,
        save_total_limit=KEPT_CHECKPOINTS,
        eval_strategy="steps" if validates else "no",
        eval_steps=t.evalSteps,
        dataloader_pin_memory=t.device == "cuda",
        disable_tqdm=True,
        report_to="none",
    )


def _save(tuned: Any, layout: Layout) -> None:
    """Puts the adapter into place; what an earlier try has left is not mixed in."""
    fresh = layout.adapter.with_name("adapter.new")
    shutil.rmtree(fresh, ignore_errors=True)
    with checkpoints.writing(fresh):
        tuned.save_pretrained(fresh)
        # PEFT's is a template with nothing filled in; publishing writes the card.
        (fresh / "README.md").unlink(missing_ok=True)
    (fresh / checkpoints.MARKER).unlink()
    shutil.rmtree(layout.adapter, ignore_errors=True)
    fresh.replace(layout.adapter)


def _figures(trainer: LoRATrainer, progress: Progress, where: torch.device) -> dict[str, Any]:
    """Most of `training` of the result: of the whole run, but for the memory, which is of this attempt."""
    seen = progress.tokens(0, trainer.state.global_step)
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {
        "steps": trainer.state.global_step,
        "tokens": seen,
        "seconds": round(progress.seconds, 1),
        "tokensPerSecond": round(seen / progress.seconds, 1),
        "peakMemoryGiB": round(device.peak_gib(where), 2),
        "device": device.name(where),
        "firstLoss": round(losses[0], 4),
        "finalLoss": round(losses[-1], 4),
        "evalLoss": None if progress.eval_loss is None else round(progress.eval_loss, 4),
    }


def _resumes(layout: Layout) -> int:
    """How often the run went on from a checkpoint, by its events."""
    try:
        with layout.events.open(encoding="utf-8", errors="replace") as lines:
            return sum('"event": "resume"' in line for line in lines)
    except OSError:
        return 1

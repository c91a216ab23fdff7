"""TRL's SFTTrainer with the loss, the order of examples and the checkpoints of this program."""

from __future__ import annotations

import itertools
import pathlib
from typing import Any

import torch
from transformers import Trainer, TrainerControl
from trl import SFTTrainer

from ..errors import DivergedError
from . import checkpoints, loss
from .batches import ShuffledSteps


class LoRATrainer(SFTTrainer):  # type: ignore[misc]
    """Trains on pre-tokenized examples in the order of a sampler."""

    def __init__(self, *args: Any, order: ShuffledSteps, **kwargs: Any) -> None:
        """`order` has as many steps as `args.max_steps`."""
        self._order = order
        super().__init__(*args, **kwargs)
        # After SFTTrainer has put its own forward there.
        loss.install(self.model)
        # A checkpoint needs no copy of the tokenizer.
        self.processing_class = None

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """The share of one batch in the mean loss of one step of the optimizer, over the tokens of all its answers."""
        # Counts are of all devices, and gradients are averaged over them.
        return model(**inputs) * self.accelerator.num_processes / num_items_in_batch

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """The mean loss of the answers' tokens of the validation split, as `eval_loss`."""
        sums = torch.zeros(2, dtype=torch.float64, device=self.args.device)
        # The data loader draws a random number, which the dropout of a resumed run would miss.
        with torch.random.fork_rng(devices=[self.args.device] if self.args.device.type == "cuda" else []):
            self.model.eval()
            for inputs in self.get_eval_dataloader():
                with torch.no_grad(), self.compute_loss_context_manager():
                    sums[0] += self.model(**self._prepare_inputs(inputs))
                sums[1] += (inputs["labels"] != loss.IGNORED).sum()
        total, count = self.accelerator.reduce(sums).tolist()
        metrics = {"eval_loss": total / max(count, 1)}
        self.log(dict(metrics))
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> tuple[list[Any], torch.Tensor]:
        """The batches of one step of the optimizer, and how many tokens carry a loss in those of all devices."""
        samples = list(itertools.islice(epoch_iterator, num_batches))
        count = sum((batch["labels"] != loss.IGNORED).sum() for batch in samples)
        return samples, self.accelerator.reduce(torch.as_tensor(count, device=device))

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Nothing: nobody reads it, and counting the parameters takes a while."""
        return 0

    def _get_train_sampler(self, train_dataset: Any = None) -> ShuffledSteps:
        return self._order

    def _clip_grad_norm(self, model: Any) -> Any:
        # The last moment before the optimizer changes the weights, and the only wait for the device in a step.
        norm = super()._clip_grad_norm(model)
        if not (torch.isfinite(norm) and torch.isfinite(self._tr_loss)):
            raise diverged(self.state.global_step)
        return norm

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        trained = (parameter for parameter in self.model.parameters() if parameter.requires_grad)
        if not all(bool(torch.isfinite(parameter).all()) for parameter in trained):
            raise diverged(self.state.global_step)
        directory = pathlib.Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        with checkpoints.writing(directory, seal=self.args.should_save):
            # Not SFTTrainer's, which writes a model card into each checkpoint.
            Trainer._save_checkpoint(self, model, trial)
            # Each process writes its random numbers there.
            self.accelerator.wait_for_everyone()


def diverged(step: int) -> DivergedError:
    """The error of a training that has come apart after so many steps."""
    return DivergedError(
        f"the loss is not a number any more after step {step}",
        next="a lower training.learningRate; the checkpoints before it are kept",
    )

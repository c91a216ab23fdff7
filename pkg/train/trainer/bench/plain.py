"""The peer: TRL's SFTTrainer as its documentation starts it, with the same adapter, examples and learning rate."""

import json
import pathlib
import sys
import time
from typing import Any

from summarizer_trainer import spec
from summarizer_trainer.layout import Layout, Prepared

from . import limits


def main(path: pathlib.Path) -> None:
    """Trains the run of a run.yaml and prints one line of JSON: what ours.read makes of our own events."""
    run = spec.load(path)
    limits.apply()
    prepared = Prepared.load(Layout(run).prepared)

    import pyarrow as pa
    import torch
    from datasets import Dataset
    from datasets.table import InMemoryTable
    from peft import LoraConfig
    from torch.utils.data import SequentialSampler
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Clock(TrainerCallback):  # type: ignore[misc]
        """The time of the first step's end and of the last's, and the tokens seen until then."""

        def __init__(self) -> None:
            self.marks: list[tuple[float, float]] = []

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
            if "num_tokens" in logs:
                self.marks.append((time.monotonic(), logs["num_tokens"]))

    class SameExamples(SFTTrainer):  # type: ignore[misc]
        """The examples are in the order in which our own training sees them."""

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return SequentialSampler(self.train_dataset)

    clock = Clock()
    t = run.training
    trainer = SameExamples(
        model=prepared.model,
        args=SFTConfig(
            output_dir=str(Layout(run).run / "plain"),
            max_steps=t.maxSteps,
            per_device_train_batch_size=t.effectiveBatchSize,
            learning_rate=t.learningRate,
            lr_scheduler_type="cosine",
            warmup_steps=t.warmupRatio,
            use_cpu=t.device == "cpu",
            logging_steps=t.maxSteps,
            logging_first_step=True,
            # What TRL does by itself with prompts and completions that are not tokenized yet.
            completion_only_loss=True,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        # As Dataset.from_list, which fails on types of pyarrow 26 when it makes a fingerprint.
        train_dataset=Dataset(
            InMemoryTable(pa.Table.from_pylist(_rows(run, pathlib.Path(prepared.data)))), fingerprint="bench"
        ),
        peft_config=LoraConfig(
            r=run.lora.rank, lora_alpha=run.lora.alpha, lora_dropout=run.lora.dropout, target_modules="all-linear"
        ),
        callbacks=[clock],
    )
    trainer.train()
    (begun, before), (ended, after) = clock.marks[0], clock.marks[1]
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    where = torch.device("cpu" if t.device == "cpu" else "cuda")
    print(
        json.dumps(
            {
                "tokensPerSecond": (after - before) / (ended - begun),
                "memoryGiB": limits.peak_gib(where),
                "losses": losses,
            }
        )
    )


def _rows(run: spec.Spec, data: pathlib.Path) -> list[dict[str, Any]]:
    """As many examples as the steps see, in our order and with our tokens, as TRL has them once it has tokenized.

    TRL's own tokens have one more that carries a loss, the line break that the template writes after the answer's end.
    """
    from summarizer_trainer import tokens
    from summarizer_trainer.training import dataset
    from summarizer_trainer.training.batches import ShuffledSteps
    from summarizer_trainer.training.loss import IGNORED

    t = run.training
    tokenizer = tokens.load(Prepared.load(Layout(run).prepared).model)
    examples = list(dataset.load(data / "train.jsonl", tokenizer, run))
    order = ShuffledSteps([len(e["input_ids"]) for e in examples], t.effectiveBatchSize, t.maxSteps, t.seed)
    return [
        {
            "input_ids": examples[i]["input_ids"],
            "completion_mask": [int(label != IGNORED) for label in examples[i]["labels"]],
        }
        for i in order
    ]


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

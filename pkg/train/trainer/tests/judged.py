"""What the tests of judging and publishing share: an adapter, and a run whose training is over."""

import pathlib
from typing import Any

from summarizer_trainer import result as results
from summarizer_trainer.layout import Layout, Prepared, write_json
from summarizer_trainer.spec import Data, Evaluation, LoRA, Model, Spec, Training

TRAINING = {
    "steps": 8,
    "epochs": 1.0,
    "tokens": 1200,
    "seconds": 10.5,
    "tokensPerSecond": 114.3,
    "peakMemoryGiB": 0.5,
    "device": "cpu",
    "firstLoss": 2.5,
    "finalLoss": 1.25,
    "evalLoss": 1.5,
    "resumed": 0,
    "seed": 42,
}


Run = tuple[Spec, Layout, Prepared]


def make_adapter(base: pathlib.Path, target: pathlib.Path, **config: Any) -> pathlib.Path:
    """Saves an adapter that changes what the base says: its weights are random, lora_B too."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    settings = {"r": 8, "lora_alpha": 16, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
    settings["init_lora_weights"] = False
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(**{**settings, **config}))
    model.save_pretrained(target)
    return target


def trained_run(volume: pathlib.Path, base: pathlib.Path, data: pathlib.Path, **sections: Any) -> Run:
    """A run with its adapter, of which nothing has been judged yet."""
    settings: dict[str, Any] = {
        "version": 1,
        "name": "tiny",
        "model": Model("org/tiny"),
        "volume": str(volume),
        "data": Data(str(data)),
        "lora": LoRA(rank=8, alpha=16),
        "training": Training(device="cpu"),
        "evaluation": Evaluation(engine="transformers", maxNewTokens=12, batchSize=3, bootstrapSamples=200),
    }
    spec = Spec(**{**settings, **sections})
    layout = Layout(spec)
    make_adapter(base, layout.adapter)
    prepared = Prepared(str(base), "0" * 40, str(data), "rev", "cc-by-nc-nd-4.0", "dd" * 32, 1)
    prepared.save(layout.prepared)
    return spec, layout, prepared


def judged_run(volume: pathlib.Path, base: pathlib.Path, data: pathlib.Path, **sections: Any) -> Run:
    """The same with a result whose scores are made up: publishing reads them, and does not judge."""
    spec, layout, prepared = trained_run(volume, base, data, **sections)
    scores = {metric: [0.5, 0.45, 0.55] for metric in ("rouge1", "rouge2", "rougeL", "rougeLsum")}
    system = {**scores, "lengthRatio": 1.1, "empty": 0.0, "cutOff": 0.125, "nameRecall": 0.75}
    evaluation = {
        "split": "test",
        "examples": 8,
        "engine": "vllm 0.32.0",
        "scorer": "rouge-score 0.1.2, stemmer",
        "confidence": 95,
        "maxNewTokens": 12,
        "served": True,
        "systems": {"tuned": system, "base": system, "lead3": system},
    }
    write_json(layout.result, results.build(spec, layout, prepared, TRAINING, evaluation))
    return spec, layout, prepared

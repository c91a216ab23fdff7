"""What the server must know of the adapters: the largest rank, and that vLLM takes them at all."""

import json
import os

from download_failures import Failure
from download_progress import say

# Values that vLLM's --max-lora-rank takes.
LEGAL_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
# Kinds of adapter that vLLM does not load (vllm/lora/peft_helper.py of 0.32.0).
NOT_SERVED = {
    "use_dora": "DoRA",
    "lora_bias": "a bias in its LoRA layers (lora_bias)",
    "alora_invocation_tokens": "activated LoRA (aLoRA)",
    "layer_replication": "layer_replication",
    "use_bdlora": "block-diagonal LoRA",
    "use_qalora": "QALoRA",
}
# Modules that may be trained in full: the heads of models that classify.
FULL_MODULES = ("classifier", "score")
# Ways to begin the training that leave the base model as it is. Others (PiSSA, OLoRA, CorDA,
# LoftQ) change it, and the adapter does not fit the model that is served.
PLAIN_INITS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")
TRAIN_PLAIN = "train it as plain LoRA"


def unserved(config):
    """What vLLM refuses of an adapter and what to do, or None."""
    for key, what in NOT_SERVED.items():
        if config.get(key):
            return what, TRAIN_PLAIN
    bias = config.get("bias", "none")
    if bias != "none":
        return f"trained biases (bias: {bias})", TRAIN_PLAIN
    modules = config.get("modules_to_save") or []
    # vLLM takes the letters of a text for names, and refuses them.
    full = ", ".join(str(module) for module in modules if module not in FULL_MODULES) if isinstance(modules, list) else modules
    if full:
        return f"other modules trained in full (modules_to_save: {full})", TRAIN_PLAIN
    init = config.get("init_lora_weights")
    if isinstance(init, str) and init.lower() not in PLAIN_INITS:
        what = f"changed base weights (init_lora_weights: {init})"
        return what, "convert it to plain LoRA with PEFT's path_initial_model_for_weight_conversion"
    return None


def ranks_of(config):
    """Every rank, by the key that says it."""
    pattern = config.get("rank_pattern") or {}
    if not isinstance(pattern, dict):
        return {"rank_pattern": pattern}
    return {"r": config.get("r"), **{f"rank_pattern.{module}": rank for module, rank in pattern.items()}}


def read_config(name, path):
    """The adapter_config.json of one adapter."""
    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    except FileNotFoundError:
        raise Failure(f"adapter {name}: there is no adapter_config.json in {os.path.dirname(path)}: name a PEFT LoRA adapter") from None
    except ValueError as error:
        raise Failure(f"adapter {name}: {path} is not JSON ({error}): name a PEFT LoRA adapter") from error
    if not isinstance(config, dict):
        raise Failure(f"adapter {name}: {path} is not a JSON object: name a PEFT LoRA adapter")
    return config


def rank_of(adapter):
    """The largest rank of one adapter, from its adapter_config.json."""
    name, path = adapter["name"], os.path.join(adapter["path"], "adapter_config.json")
    config = read_config(name, path)
    ranks = ranks_of(config)
    for key, rank in ranks.items():
        # To Python, true is 1.
        if not isinstance(rank, int) or isinstance(rank, bool) or rank <= 0:
            raise Failure(f"adapter {name}: {key} is {json.dumps(rank)} in {path}, not a rank, a whole number above 0: name a PEFT LoRA adapter")
    refused = unserved(config)
    if refused:
        what, remedy = refused
        raise Failure(f"adapter {name}: it has {what}, which vLLM does not serve: {remedy}")
    largest = max(ranks.values())
    if largest > LEGAL_RANKS[-1]:
        raise Failure(f"adapter {name}: rank {largest} is above {LEGAL_RANKS[-1]}, the largest that vLLM serves")
    return largest


def write_engine_config(adapters, path):
    """Writes a file for `vllm serve --config` with the smallest rank that holds them all."""
    largest = max(rank_of(adapter) for adapter in adapters)
    legal = next(rank for rank in LEGAL_RANKS if rank >= largest)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"max-lora-rank: {legal}\n")
    say(f"download: largest adapter rank {largest}, served with --max-lora-rank {legal}")

"""What the server must know of the adapters: the largest rank."""

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


def rank_of(adapter):
    """The largest rank of one adapter, from its adapter_config.json."""
    name, path = adapter["name"], os.path.join(adapter["path"], "adapter_config.json")
    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        ranks = [int(rank) for rank in (config["r"], *(config.get("rank_pattern") or {}).values())]
    except FileNotFoundError:
        raise Failure(f"adapter {name}: there is no adapter_config.json in {adapter['path']}: name a PEFT LoRA adapter") from None
    except (ValueError, TypeError, KeyError) as error:
        raise Failure(f"adapter {name}: {path} does not say its rank ({error!r}): name a PEFT LoRA adapter") from error
    for key, what in NOT_SERVED.items():
        if config.get(key):
            raise Failure(f"adapter {name}: it has {what}, which vLLM does not serve: train it as plain LoRA")
    if max(ranks) > LEGAL_RANKS[-1]:
        raise Failure(f"adapter {name}: rank {max(ranks)} is above {LEGAL_RANKS[-1]}, the largest that vLLM serves")
    return max(ranks)


def write_engine_config(adapters, path):
    """Writes a file for `vllm serve --config` with the smallest rank that holds them all."""
    largest = max(rank_of(adapter) for adapter in adapters)
    legal = next(rank for rank in LEGAL_RANKS if rank >= largest)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"max-lora-rank: {legal}\n")
    say(f"download: largest adapter rank {largest}, served with --max-lora-rank {legal}")

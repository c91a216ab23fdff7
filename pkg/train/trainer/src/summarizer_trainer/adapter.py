"""The adapter: reads it back as vLLM will load it, and merges it into its base where that is asked for."""

import hashlib
import json
import pathlib
import re
from dataclasses import dataclass
from typing import Any

from .errors import RefusedError

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"

MAX_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM's --max-lora-rank takes; a rank in between is served with the next one."""

# Kinds of adapter that vLLM does not load (vllm/lora/peft_helper.py of 0.32.0).
_NOT_SERVED = {
    "use_dora": "DoRA",
    "lora_bias": "a bias in its LoRA layers",
    "modules_to_save": "modules that are trained in full",
    "trainable_token_indices": "trained tokens",
    "target_parameters": "parameters that belong to no linear layer",
    "alora_invocation_tokens": "activated LoRA",
    "layer_replication": "replicated layers",
    "use_bdlora": "block-diagonal LoRA",
    "use_qalora": "QALoRA",
}
# Other ways to begin (PiSSA, OLoRA, CorDA, LoftQ) change the base: the adapter does not fit the one that is served.
_PLAIN_INITS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")

_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")


@dataclass(frozen=True)
class Adapter:
    """What was found in the directory: `bytes` and `sha256` are of the weights' file."""

    rank: int
    bytes: int
    sha256: str


def check(adapter_dir: pathlib.Path, base_dir: pathlib.Path) -> Adapter:
    """Says that vLLM can serve the adapter over the base; raises RefusedError with the first reason why not."""
    adapter = read(adapter_dir)
    _check_weights(adapter_dir, base_dir, adapter.rank)
    return adapter


def read(adapter_dir: pathlib.Path) -> Adapter:
    """Reads the configuration and hashes the weights without a look at them; raises RefusedError."""
    rank = _check_config(adapter_dir, config(adapter_dir))
    weights = adapter_dir / WEIGHTS
    try:
        return Adapter(rank, weights.stat().st_size, sha256(weights))
    except OSError as error:
        raise _refuse(adapter_dir, f"{WEIGHTS} cannot be read ({error})") from error


def sha256(path: pathlib.Path) -> str:
    """The SHA-256 of a file; of the weights it is also the name under which Git LFS and the Hub know them."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def merge(adapter_dir: pathlib.Path, base_dir: pathlib.Path, target: pathlib.Path) -> None:
    """Writes base plus adapter as one bfloat16 model, with its tokenizer; needs memory for the whole model.

    The base is read as it was published: a merge into a quantized one would lose more than the adapter adds.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = AutoModelForCausalLM.from_pretrained(base_dir, dtype=torch.bfloat16)
    merged = PeftModel.from_pretrained(base, adapter_dir).merge_and_unload()
    merged.save_pretrained(target)
    AutoTokenizer.from_pretrained(base_dir).save_pretrained(target)


def config(adapter_dir: pathlib.Path) -> dict[str, Any]:
    """adapter_config.json; raises RefusedError."""
    path = adapter_dir / CONFIG
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _refuse(adapter_dir, f"{CONFIG} cannot be read ({error})") from error
    if not isinstance(document, dict):
        raise _refuse(adapter_dir, f"{CONFIG} is no JSON object")
    return document


def _check_config(adapter_dir: pathlib.Path, config: dict[str, Any]) -> int:
    """Returns the rank."""
    kind = config.get("peft_type")
    if kind != "LORA":
        raise _refuse(adapter_dir, f"its peft_type is {kind!r}, and vLLM serves LORA")
    for key in ("r", "lora_alpha", "target_modules"):
        if not config.get(key):
            raise _refuse(adapter_dir, f"{CONFIG} lacks {key}")
    for key, what in _NOT_SERVED.items():
        if config.get(key):
            raise _refuse(adapter_dir, f"it has {what} ({key}: {config[key]}), which vLLM does not serve")
    if config.get("bias", "none") != "none":
        raise _refuse(adapter_dir, f"it has trained biases (bias: {config['bias']}), which vLLM does not serve")
    init = config.get("init_lora_weights", True)
    if isinstance(init, str) and init.lower() not in _PLAIN_INITS:
        raise _refuse(adapter_dir, f"it was trained over changed base weights (init_lora_weights: {init})")
    rank = max([config["r"], *(config.get("rank_pattern") or {}).values()])
    if not isinstance(rank, int) or not 0 < rank <= MAX_RANKS[-1]:
        raise _refuse(adapter_dir, f"its rank is {rank}, and vLLM serves up to {MAX_RANKS[-1]}")
    return rank


def _check_weights(adapter_dir: pathlib.Path, base_dir: pathlib.Path, rank: int) -> None:
    import torch
    from safetensors import SafetensorError, safe_open

    shapes = _base_shapes(base_dir)
    ranks: dict[str, dict[str, int]] = {}
    learned = False
    try:
        with safe_open(adapter_dir / WEIGHTS, framework="pt") as weights:
            for key in weights.keys():  # noqa: SIM118  (it is no mapping)
                match = _KEY.fullmatch(key)
                if match is None:
                    raise _refuse(adapter_dir, f"it has the weight {key}, which is no LoRA weight that vLLM knows")
                module, side, tensor = match["module"], match["side"], weights.get_tensor(key)
                if module not in shapes:
                    raise _refuse(adapter_dir, f"it adapts {module}, which the model in {base_dir} does not have")
                outputs, inputs = shapes[module]
                here, there = (tensor.shape[0], tensor.shape[1]) if side == "A" else (tensor.shape[1], tensor.shape[0])
                if there != (inputs if side == "A" else outputs) or here > rank:
                    raise _refuse(
                        adapter_dir,
                        f"{key} is {list(tensor.shape)}, which does not fit the base's [{outputs}, {inputs}] "
                        f"at rank {rank}",
                    )
                if not torch.isfinite(tensor).all():
                    raise _refuse(adapter_dir, f"{key} has values that are not finite")
                learned = learned or (side == "B" and bool(tensor.any()))
                ranks.setdefault(module, {})[side] = here
    except (OSError, SafetensorError) as error:
        raise _refuse(adapter_dir, f"{WEIGHTS} cannot be read ({error})") from error
    for module, sides in ranks.items():
        if sides.get("A") != sides.get("B"):
            raise _refuse(adapter_dir, f"the two LoRA weights of {module} do not belong together (ranks {sides})")
    if not learned:
        raise RefusedError(
            f"the adapter in {adapter_dir} changes nothing: every lora_B is zero",
            next="train for more steps, or at a higher training.learningRate",
        )


def _base_shapes(base_dir: pathlib.Path) -> dict[str, tuple[int, int]]:
    """Outputs and inputs of each linear layer of the base, by its name as PEFT sees it; no weights are read."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base_dir))
    embeddings = model.get_output_embeddings()
    return {
        name: (module.out_features, module.in_features)
        for name, module in model.named_modules()
        # vLLM takes no weights of the output embeddings beside an adapter.
        if isinstance(module, torch.nn.Linear) and module is not embeddings
    }


def _refuse(adapter_dir: pathlib.Path, reason: str) -> RefusedError:
    return RefusedError(
        f"the adapter in {adapter_dir} cannot be served: {reason}",
        next="train it as plain LoRA on linear layers, without embeddings",
    )

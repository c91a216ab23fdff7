"""Whether a model can be trained here: its files, and what its config.json says. Nothing large is read."""

import json
import pathlib
from fnmatch import fnmatch
from typing import Any

from ..errors import RefusedError

# The same weights once more, in other forms.
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
_INSTRUCT = "name the instruct version of a decoder model, such as mistralai/Mistral-7B-Instruct-v0.3"


def choose(name: str, sizes: dict[str, int], ignore: list[str]) -> dict[str, int]:
    """The files to fetch of all that a repository has, by path and size; raises RefusedError when one is missing."""
    if "config.json" not in sizes:
        if "adapter_config.json" in sizes:
            raise RefusedError(f"{name}: this is an adapter, not a model", "name the model that it was trained on")
        raise RefusedError(f"{name}: it has no config.json, so it is no model for transformers", _INSTRUCT)
    wanted = {path: size for path, size in sizes.items() if not any(_matches(path, pattern) for pattern in ignore)}
    if not any(path.endswith(".safetensors") for path in wanted):
        there = [path for path in sizes if path.endswith((".safetensors", ".gguf", *_PICKLES))]
        if any(path.endswith(".safetensors") for path in there):
            raise RefusedError(f"{name}: model.ignorePatterns leaves no weights of {', '.join(there[:5])}")
        has = f"only {', '.join(there[:5])}" if there else "no weights at all"
        raise RefusedError(f"{name}: its weights are needed as safetensors, and it has {has}", "name another model")
    return {path: size for path, size in wanted.items() if not path.endswith(_PICKLES)}


def read_config(name: str, path: pathlib.Path) -> dict[str, Any]:
    """The config.json of a model; raises RefusedError."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RefusedError(f"{name}: its config.json cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise RefusedError(f"{name}: its config.json is no JSON object")
    return config


def check_architecture(name: str, config: dict[str, Any]) -> None:
    """Raises RefusedError unless the installed transformers has the model, as one that writes text."""
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    kind, wanted = config.get("model_type"), config.get("architectures") or []
    known = set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values())
    release = f"transformers {transformers.__version__}"
    if config.get("auto_map") and (kind not in CONFIG_MAPPING_NAMES or not known.intersection(wanted)):
        raise RefusedError(f"{name}: it needs Python code of its own, which is never run here", _INSTRUCT)
    if kind not in CONFIG_MAPPING_NAMES:
        raise RefusedError(f"{name}: {release} does not know its model_type {kind!r}", _INSTRUCT)
    if not known.intersection(wanted):
        called = ", ".join(map(str, wanted)) or "no architecture"
        raise RefusedError(f"{name}: {called} is none of the causal language models of {release}", _INSTRUCT)
    quantized = config.get("quantization_config")
    if isinstance(quantized, dict) and quantized.get("quant_method") != "bitsandbytes":
        method = quantized.get("quant_method", "an unknown method")
        raise RefusedError(
            f"{name}: its weights are quantized ({method}), and an adapter is trained on bfloat16",
            next="name the model that it was made from; training.quantization nf4 makes that one smaller",
        )


def context_length(config: dict[str, Any]) -> int:
    """The most tokens that the model takes; 0 when its config.json does not say."""
    inner = config.get("text_config")
    for place in (config, inner if isinstance(inner, dict) else {}):
        length = place.get("max_position_embeddings")
        if isinstance(length, int) and length > 0:
            return length
    return 0


def _matches(path: str, pattern: str) -> bool:
    """As huggingface_hub does it: "folder/" stands for all in it."""
    return fnmatch(path, pattern + "*" if pattern.endswith("/") else pattern)

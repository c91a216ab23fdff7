"""The loss of a batch: what carries it, and that it is the model's own however the batch is laid out."""

import pathlib
from collections.abc import Callable
from typing import Any

import pytest
import torch

from summarizer_trainer import spec, tokens
from summarizer_trainer.errors import RefusedError
from summarizer_trainer.training import attention, batches, dataset, loss, memory, model

Write = Callable[..., pathlib.Path]
CPU = torch.device("cpu")


def tuned(directory: pathlib.Path, run: spec.Spec, **config: Any) -> Any:
    """A model in float32 with an adapter that changes something."""
    made = model.load(str(directory), run.training, run.lora, CPU).float()
    made.config.update(config)
    torch.manual_seed(0)
    for name, parameter in made.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    return made.eval()


def learned(made: Any, value: torch.Tensor) -> tuple[float, torch.Tensor]:
    """A loss and its gradients."""
    made.zero_grad()
    value.backward()
    return value.item(), torch.cat([p.grad.flatten() for p in made.parameters() if p.grad is not None])


def alone(made: Any, rows: list[dict[str, Any]]) -> torch.Tensor:
    """The mean loss of the answers' tokens by the model's own forward, one example at a time."""
    count = sum(label != loss.IGNORED for row in rows for label in row["labels"])
    parts = []
    for row in rows:
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor([row["labels"]])
        parts.append(made(input_ids=ids, labels=labels).loss * (labels != loss.IGNORED).sum() / count)
    return torch.stack(parts).sum()


@pytest.mark.parametrize("shape", ["tiny_llama", "tiny_mistral"])
@pytest.mark.parametrize("packing", ["auto", "off"])
@pytest.mark.parametrize("changed", ["", "chunks", "fused attention", "scaled logits"])
def test_it_is_the_models_own(
    shape: str, packing: str, changed: str, tiny_data: pathlib.Path, write_run: Write, request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    directory = request.getfixturevalue(shape)
    run = spec.load(write_run(directory, tiny_data, training={"packing": packing}))
    rows = dataset.load(tiny_data / "train.jsonl", tokens.load(directory), run).select(range(5)).to_list()
    plain = spec.load(write_run(directory, tiny_data, training={"attention": "eager"}))
    theirs = tuned(directory, plain)
    expected = learned(theirs, alone(theirs, rows))
    if changed == "chunks":
        monkeypatch.setattr(loss, "_CHUNK", 7)
    if changed == "fused attention":
        monkeypatch.setattr(attention, "_PLAIN_TOKENS", 0)
    # A scale of 1 changes nothing but which forward is taken.
    ours = tuned(directory, run, **({"logit_scale": 1.0} if changed == "scaled logits" else {}))
    loss.install(ours)
    batch = model.collator(run.training, ours)(rows)
    assert len(batch["input_ids"]) == (1 if packing == "auto" else len(rows))
    count = sum(label != loss.IGNORED for row in rows for label in row["labels"])
    found = learned(ours, ours(**batch) / count)
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-3, atol=1e-6)


def test_no_example_sees_the_one_before_it(tiny_llama: pathlib.Path, tiny_data: pathlib.Path, write_run: Write) -> None:
    run = spec.load(write_run(tiny_llama, tiny_data))
    rows = dataset.load(tiny_data / "train.jsonl", tokens.load(tiny_llama), run).select(range(3)).to_list()
    made = tuned(tiny_llama, run)
    hidden = made.get_base_model().get_decoder()
    last = len(rows[2]["input_ids"])

    def of_the_last(examples: list[dict[str, Any]]) -> torch.Tensor:
        batch = batches.pack(examples)
        del batch["labels"]
        return hidden(**batch).last_hidden_state[0, -last:]

    torch.testing.assert_close(of_the_last(rows), of_the_last(rows[2:]))


def test_packing_is_refused_where_it_is_not_exact(
    tiny_mistral: pathlib.Path, tiny_data: pathlib.Path, write_run: Write
) -> None:
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(tiny_mistral, sliding_window=64)
    wide = spec.load(write_run(tiny_mistral, tiny_data, training={"maxLength": 64}))
    assert model.implementation(wide.training, config) == attention.PACKED
    auto = spec.load(write_run(tiny_mistral, tiny_data))
    assert model.implementation(auto.training, config) == "sdpa"
    on = spec.load(write_run(tiny_mistral, tiny_data, training={"packing": "on"}))
    with pytest.raises(RefusedError, match=r"training\.packing is on"):
        model.implementation(on.training, config)


def test_flash_attention_is_told_where_examples_end() -> None:
    rows = [{"input_ids": [1, 2, 3], "labels": [-100, 2, 3]}, {"input_ids": [4, 5], "labels": [4, 5]}]
    batch = batches.pack_for_flash(rows)
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4, 5]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch["labels"].tolist() == [[-100, 2, 3, -100, 5]]
    assert batch["cu_seq_lens_q"].tolist() == batch["cu_seq_lens_k"].tolist() == [0, 3, 5]
    assert batch["max_length_q"] == batch["max_length_k"] == 3


def test_only_as_many_layers_are_computed_again_as_memory_asks_for() -> None:
    assert memory.needed(layers=32, each=100e6, free=10e9) == 0
    assert memory.needed(layers=32, each=100e6, free=2e9) == 32 - 14
    assert memory.needed(layers=32, each=100e6, free=0) == 32


def test_layers_that_are_computed_again_keep_less_and_learn_the_same(
    tiny_llama: pathlib.Path, tiny_data: pathlib.Path, write_run: Write
) -> None:
    run = spec.load(write_run(tiny_llama, tiny_data, lora={"dropout": 0.0}))
    rows = dataset.load(tiny_data / "train.jsonl", tokens.load(tiny_llama), run).select(range(4)).to_list()
    made = tuned(tiny_llama, run)
    loss.install(made)
    batch = batches.pack(rows)
    all_kept = memory.kept_bytes(made, batch)
    expected = learned(made.train(), made(**batch))
    on = spec.load(write_run(tiny_llama, tiny_data, training={"gradientCheckpointing": "on"}))
    assert memory.checkpoint_layers(on.training, made, batch, 0, CPU) == 2
    assert memory.kept_bytes(made, batch) < all_kept / 2
    found = learned(made.train(), made(**batch))
    assert found[0] == expected[0]
    torch.testing.assert_close(found[1], expected[1])

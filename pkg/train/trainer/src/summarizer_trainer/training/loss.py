"""The loss of the answers' tokens, without logits for any other position.

A model's own forward computes logits over the whole vocabulary for every token, and then leaves out those of prompts
and padding: with short answers that is most of the memory and a good part of the time.
"""

from __future__ import annotations

import types
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

IGNORED = -100
"""The label of a position that carries no loss, as in torch."""

# Positions whose logits are in memory at once: half a gigabyte in float32 with a vocabulary of 128k.
_CHUNK = 1024
# What a model may do to its logits beyond one matrix product.
_MORE = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier", "output_multiplier")


def install(model: Any) -> None:
    """Gives the base model under an adapter a forward that returns the summed loss, and nothing else."""
    base = model.get_base_model()
    config = base.config.get_text_config()
    plain = not any(getattr(config, field, None) for field in _MORE)
    base.forward = types.MethodType(_sparse if plain else _dense, base)


def _sparse(self: Any, labels: torch.Tensor, **inputs: Any) -> torch.Tensor:
    """The sum of the negative log likelihoods, in nats, of the labels that are not IGNORED; the shape is ()."""
    hidden = self.get_decoder()(**_given(inputs), use_cache=False).last_hidden_state
    targets, chosen = _targets(labels)
    return summed(hidden[chosen], targets[chosen], self.get_output_embeddings())


def _dense(self: Any, labels: torch.Tensor, **inputs: Any) -> torch.Tensor:
    """The same by the model's own logits."""
    logits = type(self).forward(self, **_given(inputs), use_cache=False).logits
    targets, chosen = _targets(labels)
    return F.cross_entropy(logits[chosen].float(), targets[chosen], reduction="sum")


def _given(inputs: dict[str, Any]) -> dict[str, Any]:
    """Without what PEFT passes on as None."""
    return {key: value for key, value in inputs.items() if value is not None}


def _targets(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What each position is to predict, the token after it, and which positions carry a loss."""
    targets = F.pad(labels[:, 1:], (0, 1), value=IGNORED)
    return targets, targets != IGNORED


def summed(hidden: torch.Tensor, targets: torch.Tensor, head: Any) -> torch.Tensor:
    """The summed cross entropy of `targets` (n) under the logits that `head` makes of `hidden` (n, width)."""
    if len(targets) <= _CHUNK:
        return _cross_entropy(hidden, targets, head)
    # Logits of a chunk are made again for its gradient instead of being kept.
    parts = zip(hidden.split(_CHUNK), targets.split(_CHUNK), strict=True)
    losses = [checkpoint(_cross_entropy, h, t, head, use_reentrant=False) for h, t in parts]
    return torch.stack(losses).sum()


def _cross_entropy(hidden: torch.Tensor, targets: torch.Tensor, head: Any) -> torch.Tensor:
    return F.cross_entropy(head(hidden).float(), targets, reduction="sum")

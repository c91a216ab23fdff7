"""Causal attention over examples that lie one after another in one row: each sees itself alone, without padding."""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F
from transformers import AttentionInterface

PACKED = "packed_examples"
"""The name under which transformers knows this attention."""

# Longer examples would need too much memory: all scores are kept for the gradient.
_PLAIN_TOKENS = 1024


def fits(config: Any, longest: int) -> bool:
    """Whether a model's attention is plain causal attention for examples of at most `longest` tokens."""
    config = config.get_text_config()
    window = getattr(config, "sliding_window", None) or longest
    kinds = set(getattr(config, "layer_types", None) or ())
    capped = getattr(config, "attn_logit_softcapping", None)
    return window >= longest and kinds <= {"full_attention", "sliding_attention"} and not capped


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    scaling: float,
    lengths: list[int],
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers calls it: tensors (1, heads, tokens, width); `lengths` are the examples' tokens."""
    rows = zip(query.split(lengths, 2), key.split(lengths, 2), value.split(lengths, 2), strict=True)
    return torch.cat([_causal(*row, scaling) for row in rows], dim=2).transpose(1, 2).contiguous(), None


def _causal(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
    if query.device.type == "cpu" and query.shape[2] <= _PLAIN_TOKENS:
        # In bfloat16 twice as fast as torch's own, which multiplies in float32.
        return plain(query, key, value, scaling)
    return F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=True)


def plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
    """Causal attention by matrix products; the query heads that share a key head are rows of one matrix."""
    _, heads, tokens, width = query.shape
    groups = key.shape[1]
    rows = query.reshape(groups, heads // groups * tokens, width)
    future = _future(tokens, heads // groups, query.dtype).expand(groups, -1, -1)
    scores = torch.baddbmm(future, rows, key[0].transpose(1, 2), alpha=scaling)
    return torch.bmm(F.softmax(scores, dim=-1), value[0]).reshape(query.shape)


@functools.lru_cache(maxsize=32)
def _future(tokens: int, heads: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.full((tokens, tokens), float("-inf"), dtype=dtype).triu(1).repeat(heads, 1)


AttentionInterface.register(PACKED, _attend)

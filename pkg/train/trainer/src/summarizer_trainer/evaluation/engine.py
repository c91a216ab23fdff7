"""What generates answers: vLLM, which serves them too, or transformers where vLLM does not run."""

import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..examples import Message
from .predictions import Answer

Progress = Callable[[int], None]
"""Is told how many answers of the current system are done."""


@dataclass(frozen=True)
class Job:
    """What an engine is started with."""

    model: pathlib.Path
    adapter: pathlib.Path
    rank: int
    device: str
    gpus: int
    max_new_tokens: int
    batch_size: int
    date_string: str
    prompts: Sequence[list[int]]
    """Token ids of each prompt, as training saw them."""
    conversations: Sequence[list[Message]]
    """The same prompts before the chat template."""
    dtype: str = "auto"
    """`auto` is the dtype that the model's files have, as `vllm serve` takes it."""

    @property
    def longest(self) -> int:
        """Tokens of the longest prompt and its answer."""
        return max(len(prompt) for prompt in self.prompts) + self.max_new_tokens


class Engine(Protocol):
    """A loaded model with its adapter; generates greedily."""

    name: str
    """With its version, such as "vllm 0.32.0"."""

    def generate(self, adapted: bool, progress: Progress) -> list[Answer]:
        """Answers every prompt of the job, with or without the adapter, in their order."""


def version(name: str) -> str:
    """The engine's name and version without loading it."""
    import importlib.metadata

    return f"{name} {importlib.metadata.version(name).split('+')[0]}"

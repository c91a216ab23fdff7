"""Examples as they lie on the volume, and as they are put to the model."""

import json
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .spec import Prompt

Message = dict[str, str]


@dataclass(frozen=True)
class Example:
    """One conversation and the answer that is learned from it.

    `dialogue` is the text that was summarized, or for data in `messages` form the last user turn: baselines and
    measures read it.
    """

    id: str
    messages: tuple[tuple[str, str], ...]
    """Turns before the answer, as (role, content)."""
    dialogue: str
    summary: str

    def prompt(self) -> list[Message]:
        """The turns before the answer in the form of the chat template."""
        return [{"role": role, "content": content} for role, content in self.messages]

    def completion(self) -> list[Message]:
        """The answer in the form of the chat template."""
        return [{"role": "assistant", "content": self.summary}]


def summary_turns(prompt: Prompt, dialogue: str) -> tuple[tuple[str, str], ...]:
    """The turn that asks for a summary: the instruction is in the user's turn, as the plugin's `query` puts it."""
    if not prompt.instruction:
        return (("user", dialogue),)
    return (("user", f"{prompt.instruction}\n\n{dialogue.strip()}"),)


def of_row(row: dict[str, Any], prompt: Prompt) -> Example:
    """The example of one line that `prepare` wrote."""
    if "messages" not in row:
        return Example(row["id"], summary_turns(prompt, row["dialogue"]), row["dialogue"], row["summary"])
    *turns, answer = row["messages"]
    messages = tuple((turn["role"], turn["content"]) for turn in turns)
    asked = next((content for role, content in reversed(messages) if role == "user"), "")
    return Example(row["id"], messages, asked, answer["content"])


def read(path: pathlib.Path, prompt: Prompt) -> Iterator[Example]:
    """Reads a split as `prepare` wrote it."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield of_row(json.loads(line), prompt)

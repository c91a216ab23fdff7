"""Makes an example of a row, whichever of the three forms the data has."""

import difflib
import enum
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import RefusedError
from ..spec import Columns
from .readers import Row

EMPTY = "empty"
NO_ANSWER = "no answer"
_ROLES = ("system", "user", "assistant")
# What other data sets call the two columns.
_ALSO = {
    "dialogue": ("dialog", "conversation", "transcript", "document", "article", "text", "input"),
    "summary": ("summaries", "abstract", "highlights", "target", "output", "section_text"),
}


class Form(enum.Enum):
    """How a row holds an example."""

    DIALOGUE = "dialogue and summary"
    MESSAGES = "messages"
    PROMPT = "prompt and completion"


@dataclass(frozen=True)
class Record:
    """One example as it is written: `fields` are dialogue and summary, or messages; `id` is "" when none was given."""

    id: str
    fields: dict[str, Any]

    @property
    def question(self) -> str:
        """What comes before the answer, with its white space made equal: two records with the same are duplicates."""
        asked = self.fields.get("dialogue") or json.dumps(self.fields["messages"][:-1], sort_keys=True)
        return " ".join(asked.split())

    def content_id(self) -> str:
        """An id that follows from the content."""
        text = json.dumps(self.fields, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def form_of(names: Iterable[str], columns: Columns, source: str) -> Form:
    """The form of data with these columns; raises RefusedError naming them, and the nearest to a missing one."""
    there = list(names)
    if {columns.dialogue, columns.summary} <= set(there):
        return Form.DIALOGUE
    if "messages" in there:
        return Form.MESSAGES
    if {"prompt", "completion"} <= set(there):
        return Form.PROMPT
    missing = [name for name in (columns.dialogue, columns.summary) if name not in there]
    near = {
        field: _nearest(getattr(columns, field), _ALSO[field], there)
        for field in ("dialogue", "summary")
        if getattr(columns, field) in missing
    }
    hints = [f"data.columns.{field} {name}" for field, name in near.items() if name]
    raise RefusedError(
        f"{source}: there is no column {' and no column '.join(missing)}; it has {', '.join(there[:20]) or 'none'}",
        next=f"set {' and '.join(hints)}" if hints else "name the columns with data.columns",
    )


def convert(row: Row, form: Form, columns: Columns, place: str) -> Record | str:
    """The row's example, or the reason why it has none; raises RefusedError for what is not text."""
    given = row.get("id")
    identity = clean(str(given)) if isinstance(given, (str, int)) and not isinstance(given, bool) else ""
    if form is Form.DIALOGUE:
        dialogue = _text(row.get(columns.dialogue), columns.dialogue, place)
        summary = _text(row.get(columns.summary), columns.summary, place)
        return Record(identity, {"dialogue": dialogue, "summary": summary}) if dialogue and summary else EMPTY
    if form is Form.MESSAGES:
        turns = _turns(row.get("messages"), "messages", "user", place)
    else:
        turns = _turns(row.get("prompt"), "prompt", "user", place)
        answer = _turns(row.get("completion"), "completion", "assistant", place)
        turns = [*turns, *answer] if turns and answer else []
    if not turns or not all(turn["content"] for turn in turns if turn["role"] != "system"):
        return EMPTY
    if turns[-1]["role"] != "assistant" or all(turn["role"] != "user" for turn in turns):
        return NO_ANSWER
    return Record(identity, {"messages": turns})


def clean(text: str) -> str:
    """Text with newlines as one character, without surrounding white space, that UTF-8 can hold."""
    # JSON can hold halves of characters: pairs are joined, what is left becomes U+FFFD.
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return re.sub(r"\r\n?", "\n", whole).strip()


def _text(value: Any, name: str, place: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RefusedError(f"{place}: {name} must be text, it is {_kind(value)}")
    return clean(value)


def _turns(value: Any, name: str, role: str, place: str) -> list[dict[str, str]]:
    """Turns from a list of messages, or for prompt and completion from the text of one turn of that role."""
    if value is None:
        return []
    if isinstance(value, str) and name != "messages":
        return [{"role": role, "content": clean(value)}]
    if not isinstance(value, list):
        raise RefusedError(f"{place}: {name} must be a list of messages, it is {_kind(value)}")
    turns = []
    for number, turn in enumerate(value, 1):
        if not isinstance(turn, dict):
            raise RefusedError(f"{place}: message {number} of {name} must have role and content, it is {_kind(turn)}")
        if turn.get("role") not in _ROLES:
            raise RefusedError(
                f"{place}: message {number} of {name} has the role {turn.get('role')!r}", f"use {', '.join(_ROLES)}"
            )
        content = _text(turn.get("content"), f"the content of message {number} of {name}", place)
        turns.append({"role": turn["role"], "content": content})
    return turns


def _nearest(wanted: str, also: tuple[str, ...], there: list[str]) -> str:
    lower = {name.lower(): name for name in there}
    alias = next((lower[name] for name in (wanted.lower(), *also) if name in lower), "")
    close = difflib.get_close_matches(wanted.lower(), lower, n=1)
    return lower[close[0]] if close else alias


def _kind(value: Any) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object", str: "text"}
    return kinds.get(type(value), type(value).__name__)

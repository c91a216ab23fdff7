"""What is measured of a system's predictions besides ROUGE, and the baseline that needs no model."""

import re
from collections.abc import Sequence

# At most 40 characters: a longer text before a colon is a clause, no speaker.
_SPEAKER = re.compile(r"^[ \t]*([^:\n]{0,39}[^:\s])[ \t]*:(?=\s|$)", re.MULTILINE)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
LEAD = 3
"""Turns of the dialogue that the lead baseline takes."""


def lead(dialogue: str) -> str:
    """The first LEAD turns of the dialogue; of a text in one paragraph, its first sentences."""
    turns = [line.strip() for line in dialogue.splitlines() if line.strip()]
    if len(turns) == 1:
        turns = _SENTENCES.split(turns[0])
    return "\n".join(turns[:LEAD])


def speakers(dialogue: str) -> list[str]:
    """Names that begin a turn (`Name: text`), each once, in the order in which they speak."""
    names = (match.group(1) for match in _SPEAKER.finditer(dialogue.replace("\r\n", "\n")))
    return list(dict.fromkeys(name for name in names if re.search(r"[^\W\d_]", name)))


def mentions(text: str, name: str) -> bool:
    """Whether the name stands in the text as a whole word, in any case of letters."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def name_recall(dialogues: Sequence[str], references: Sequence[str], predictions: Sequence[str]) -> float | None:
    """The share of the speakers named by the references that the predictions name too; None when none is named."""
    named = kept = 0
    for dialogue, reference, prediction in zip(dialogues, references, predictions, strict=True):
        for name in speakers(dialogue):
            if mentions(reference, name):
                named += 1
                kept += mentions(prediction, name)
    return kept / named if named else None


def length_ratio(references: Sequence[str], predictions: Sequence[str]) -> float:
    """Words of all predictions over words of all references."""
    words = sum(len(text.split()) for text in references)
    return sum(len(text.split()) for text in predictions) / words if words else 0.0


def share(flags: Sequence[bool]) -> float:
    """The share of flags that are set."""
    return sum(flags) / len(flags)

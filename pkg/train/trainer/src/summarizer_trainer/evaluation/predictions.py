"""The answers of each system as they lie on the volume: an attempt that was interrupted goes on with what is there."""

import hashlib
import json
import os
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..examples import Example
from ..layout import write_json
from .rouge import METRICS


@dataclass(frozen=True)
class Answer:
    """What a system said of one example; `finish` is stop (it ended by itself) or length (it was cut off)."""

    text: str
    finish: str = "stop"


@dataclass(frozen=True)
class Judged:
    """A system's answers in the order of the split, with the scores of each in the order of METRICS."""

    answers: list[Answer]
    scores: list[tuple[float, ...]]


class Store:
    """The directory `predictions/`: a file for each system, and in made-from.json what each file was made from."""

    def __init__(self, directory: pathlib.Path, examples: Sequence[Example]) -> None:
        self._directory = directory
        self._made_from = directory / "made-from.json"
        self._examples = examples

    def load(self, system: str, made_from: dict[str, Any]) -> Judged | None:
        """The system's answers, when they were made from just this and are all there."""
        if self._known().get(system) != _digest(made_from):
            return None
        try:
            lines = self._path(system).read_text(encoding="utf-8").splitlines()
            rows = [json.loads(line) for line in lines]
            judged = Judged(
                [Answer(row["prediction"], row["finish"]) for row in rows],
                [tuple(row["scores"][metric] for metric in METRICS) for row in rows],
            )
        except (OSError, ValueError, KeyError):
            return None
        return judged if [row["id"] for row in rows] == [example.id for example in self._examples] else None

    def save(self, system: str, made_from: dict[str, Any], judged: Judged) -> None:
        """Writes the system's file, and only then that it is whole."""
        path = self._path(system)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".new")
        with temporary.open("w", encoding="utf-8") as file:
            for example, answer, scores in zip(self._examples, judged.answers, judged.scores, strict=True):
                row = {
                    "id": example.id,
                    "prediction": answer.text,
                    "reference": example.summary,
                    "finish": answer.finish,
                    "scores": dict(zip(METRICS, scores, strict=True)),
                }
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        write_json(self._made_from, {**self._known(), system: _digest(made_from)})

    def _path(self, system: str) -> pathlib.Path:
        return self._directory / f"{system}.jsonl"

    def _known(self) -> dict[str, str]:
        try:
            known = json.loads(self._made_from.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def split_sha256(examples: Sequence[Example]) -> str:
    """Identifies a split by the ids, dialogues and references of its examples, in their order."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(json.dumps([example.id, example.dialogue, example.summary], ensure_ascii=False).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _digest(made_from: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made_from, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

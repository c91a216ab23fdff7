"""Chooses the examples of a split: what is dropped, and why, is counted."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import RefusedError
from . import rows
from .rows import Record

DUPLICATE = "duplicate"
TOO_LONG = "too long"
TEMPLATE = "template"


@dataclass(frozen=True)
class Measured:
    """How long an example is in tokens, prompt and answer together, or the reason to drop it with what to do."""

    tokens: int = 0
    dropped: str = ""
    next: str = ""


@dataclass
class Count:
    """What became of the rows of one split."""

    rows: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=list)
    next: dict[str, str] = field(default_factory=lambda: {rows.EMPTY: "these rows lack a dialogue or a summary"})

    def drop(self, reason: str, next: str = "") -> None:
        """Counts a row that is not used; `next` of the first one is kept for messages."""
        self.dropped[reason] += 1
        if next:
            self.next.setdefault(reason, next)

    def event(self) -> dict[str, Any]:
        """The fields of the split in the `data` event."""
        ordered = sorted(self.lengths) or [0]
        tokens = {name: ordered[math.ceil(len(ordered) * share) - 1] for name, share in (("p50", 0.5), ("p95", 0.95))}
        tokens |= {"max": ordered[-1], "total": sum(ordered)}
        return {"rows": self.rows, "kept": self.kept, "dropped": dict(self.dropped), "tokens": tokens}

    def check(self, split: str, source: str) -> None:
        """Raises RefusedError when there are no rows, or when more were dropped than kept."""
        lost = sum(self.dropped.values())
        if not self.rows:
            raise RefusedError(f"{source}: the split {split} is empty")
        if lost > self.kept:
            reasons = ", ".join(f"{number} {reason}" for reason, number in self.dropped.most_common())
            first = self.dropped.most_common(1)[0][0]
            raise RefusedError(
                f"{source}: {lost} of {self.rows} rows of the split {split} cannot be used: {reasons}",
                next=self.next.get(first, ""),
            )


class Ids:
    """Gives each record an id that no other has, in any split."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def of(self, record: Record) -> str:
        """The record's own id, or one of its content, with a number when it was given before."""
        wanted = record.id or record.content_id()
        name, number = wanted, 1
        while name in self._given:
            number += 1
            name = f"{wanted}-{number}"
        self._given.add(name)
        return name


def tenth(record: Record) -> str:
    """The split of a record of data that is not split: a tenth each for test and validation, by what is asked."""
    number = int(hashlib.sha256(record.question.encode()).hexdigest()[:8], 16) % 10
    return {0: "test", 1: "validation"}.get(number, "train")


def select(
    records: Iterator[Record | str],
    count: Count,
    measure: Callable[[Record], Measured],
    known: set[str],
    limit: int,
) -> Iterator[Record]:
    """Yields the records to keep, at most `limit` (0: all), and fills the count.

    A record is dropped when it is a reason already, when what it asks is in `known`, or when `measure` says so. Rows
    after the limit are not read.
    """
    for record in records:
        count.rows += 1
        if isinstance(record, str):
            count.drop(record)
            continue
        if record.question in known:
            count.drop(DUPLICATE, "these dialogues are in validation or test too")
            continue
        measured = measure(record)
        if measured.dropped:
            count.drop(measured.dropped, measured.next)
            continue
        count.kept += 1
        count.lengths.append(measured.tokens)
        yield record
        if limit and count.kept == limit:
            break

"""From a source to the three files of examples: fetched, read, counted, measured and written."""

import dataclasses
import hashlib
import json
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

from .. import examples, tokens
from ..errors import RefusedError
from ..events import Events
from ..spec import Limit, Spec
from ..ticker import Ticker
from . import samsum, selection, store
from .files import SPLITS
from .reading import Reading, check_taken
from .rows import Record
from .selection import Count, Measured
from .source import PHASE, Source


@dataclasses.dataclass(frozen=True)
class Base:
    """The model that the examples are measured for: `identity` changes when its tokenizer may."""

    directory: pathlib.Path
    identity: str
    context: int
    """The most tokens that it takes, 0 when that is not known."""


def run(spec: Spec, source: Source, base: Base, events: Events) -> tuple[pathlib.Path, dict[str, Any]]:
    """The directory of the examples and its data.json; what was made of the same data before is taken as it is.

    Raises TrainerError. The source must have been checked.
    """
    events.phase(PHASE, source.uri)
    root = pathlib.Path(spec.volume) / "data"
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=root) as work:
        groups: dict[str, list[pathlib.Path]] | None = None
        identity = source.revision
        if not identity:
            # Only what was fetched says whether it is what it was.
            groups = source.fetch(pathlib.Path(work), events)
            identity = _contents(groups)
        directory = root / _name(spec, source, base, identity)
        index = store.load(directory)
        if index is None:
            groups = groups or source.fetch(pathlib.Path(work), events)
            index = _write(spec, source, base, groups, directory, events)
    events.emit("data", splits=index["splits"])
    return directory, index


def dropped(index: dict[str, Any]) -> int:
    """How many examples of all splits were left out."""
    return sum(sum(split["dropped"].values()) for split in index["splits"].values())


def _write(
    spec: Spec,
    source: Source,
    base: Base,
    groups: dict[str, list[pathlib.Path]],
    directory: pathlib.Path,
    events: Events,
) -> dict[str, Any]:
    reading = Reading(groups, spec.data.columns)
    if reading.taken:
        events.warning(
            f"{source.uri} has no files for {' and '.join(reading.taken)}: a tenth of its rows is taken each"
        )
    measuring = _Measuring(spec, base)
    writer, ids = store.Writer(directory), selection.Ids()
    counts = {split: Count() for split in SPLITS}
    known: set[str] = set()
    with Ticker(events, PHASE, "examples", lambda: (sum(count.rows for count in counts.values()), 0)):
        # Train comes last: it must not have what the others have.
        for split in reversed(SPLITS):
            asked = known if split == "train" else set()
            records = selection.select(
                reading.records(split),
                counts[split],
                lambda record, split=split: measuring(record, split),  # type: ignore[misc]
                asked,
                getattr(spec.data.limit, split),
            )
            writer.split(split, _lines(records, ids, known))
            check_taken(split, reading.taken, counts[split].kept, source.uri)
            if counts[split].rows or split != "validation":
                counts[split].check(split, source.uri)
    if isinstance(source, samsum.SamsumSource) and spec.data.limit == Limit():
        samsum.check_rows({split: count.rows for split, count in counts.items()}, events)
    _warn(counts, spec, base, events)
    return writer.finish(
        {
            "uri": source.uri,
            "revision": source.revision,
            "license": source.license,
            "taken": reading.taken,
            "splits": {split: counts[split].event() for split in SPLITS},
        }
    )


class _Measuring:
    """Measures an example by the model's own tokenizer and template."""

    def __init__(self, spec: Spec, base: Base) -> None:
        self._spec = spec
        self._context = base.context
        self._tokenizer = tokens.load(base.directory)

    def __call__(self, record: Record, split: str) -> Measured:
        example = examples.of_row({"id": record.id or record.content_id(), **record.fields}, self._spec.prompt)
        try:
            prompt, completion = tokens.render(self._tokenizer, example, self._spec.prompt)
        except RefusedError as refused:
            return Measured(dropped=selection.TEMPLATE, next=str(refused))
        length, most = len(prompt) + len(completion), self._spec.training.maxLength
        if split == "test":
            # Judging needs room for the answer, and not for the reference.
            length, most = len(prompt) + self._spec.evaluation.maxNewTokens, self._context
            if not most or length <= most:
                return Measured(len(prompt) + len(completion))
        if length > most:
            return Measured(dropped=selection.TOO_LONG, next="raise training.maxLength, or split long dialogues")
        return Measured(length)


def _lines(records: Iterator[Record], ids: selection.Ids, known: set[str]) -> Iterator[dict[str, Any]]:
    for record in records:
        known.add(record.question)
        yield {"id": ids.of(record), **record.fields}


def _warn(counts: dict[str, Count], spec: Spec, base: Base, events: Events) -> None:
    for split, count in counts.items():
        limit = (
            f"the {base.context} tokens of the model, with room for an answer"
            if split == "test"
            else f"{spec.training.maxLength} tokens (training.maxLength)"
        )
        sentences = {
            selection.TOO_LONG: f"are longer than {limit}",
            selection.DUPLICATE: "ask what validation or test ask too",
            selection.TEMPLATE: f"do not fit the model's chat template, such as {count.next.get(selection.TEMPLATE)}",
        }
        for reason, sentence in sentences.items():
            if number := count.dropped[reason]:
                events.warning(f"{split}: {number} of {count.rows} examples {sentence}, and are left out")
    if not counts["validation"].kept:
        events.warning("there are no examples for validation: the loss on unseen data is not known during training")


def _contents(groups: dict[str, list[pathlib.Path]]) -> str:
    """Identifies files by what is in them."""
    digest = hashlib.sha256()
    for split, paths in sorted(groups.items()):
        for path in paths:
            digest.update(f"{split} {path.name} {store.file_sha256(path)}\n".encode())
    return digest.hexdigest()


def _name(spec: Spec, source: Source, base: Base, identity: str) -> str:
    """Names the directory after all that decides what is in it."""
    decides = {
        "version": store.VERSION,
        "uri": source.uri,
        "identity": identity,
        "columns": dataclasses.asdict(spec.data.columns),
        "limit": dataclasses.asdict(spec.data.limit),
        "prompt": dataclasses.asdict(spec.prompt),
        "maxLength": spec.training.maxLength,
        "maxNewTokens": spec.evaluation.maxNewTokens,
        "model": base.identity,
        "context": base.context,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]

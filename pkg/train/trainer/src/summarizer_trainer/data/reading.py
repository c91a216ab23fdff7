"""Reads the records of a split, taking from the training files the splits that have none of their own."""

import itertools
import pathlib
from collections.abc import Iterator

from ..errors import RefusedError
from ..spec import Columns
from . import readers, rows, selection
from .files import SPLITS
from .rows import Record

# A column may be missing in the first rows of a file.
_ROWS_LOOKED_AT = 20


class Reading:
    """The files of a source by split, as files.by_split groups them."""

    def __init__(self, groups: dict[str, list[pathlib.Path]], columns: Columns) -> None:
        self._groups = {"train": groups[""]} if "" in groups else groups
        self._columns = columns
        self.taken = [split for split in SPLITS if split not in self._groups]
        """Splits that have no file: each gets a tenth of the rows of train."""

    def records(self, split: str) -> Iterator[Record | str]:
        """Yields each record of a split, or the reason why a row has none; raises RefusedError."""
        for path in self._groups.get(split, self._groups["train"]):
            for record in self._of_file(path):
                if self._split_of(record, split) == split:
                    yield record

    def _split_of(self, record: Record | str, wanted: str) -> str:
        if wanted in self._groups and wanted != "train":
            return wanted
        drawn = "train" if isinstance(record, str) else selection.tenth(record)
        return drawn if drawn in self.taken else "train"

    def _of_file(self, path: pathlib.Path) -> Iterator[Record | str]:
        places = readers.rows(path)
        first = list(itertools.islice(places, _ROWS_LOOKED_AT))
        if not first:
            return
        # A dict keeps the order of the columns.
        names = {name: None for _, row in first for name in row}
        form = rows.form_of(names, self._columns, path.name)
        for place, row in itertools.chain(first, places):
            yield rows.convert(row, form, self._columns, place)


def check_taken(split: str, taken: list[str], kept: int, source: str) -> None:
    """Raises RefusedError when a split that was taken from the training data got no row."""
    if split in taken and not kept:
        raise RefusedError(
            f"{source}: it has no rows, or too few for a tenth of them to be the split {split}",
            next=f"give more rows, or a directory with train.jsonl and {split}.jsonl",
        )

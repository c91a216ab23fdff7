"""Which of the files that a source has hold which split."""

import pathlib
import re
from collections.abc import Iterable

from ..errors import RefusedError

SPLITS = ("train", "validation", "test")
"""In the order in which they are written."""
SUFFIXES = (".jsonl", ".json", ".parquet", ".csv", ".tsv")
"""What can be read, each also with .gz after it; the first is taken of a split that is there in several."""
ARCHIVES = (".tar.gz", ".tgz", ".tar")
_NAMES = {"train": r"train(ing)?", "validation": r"(validation|valid|val|dev)", "test": r"test(ing)?"}


def suffix(name: str) -> str:
    """The format of a file by its name, "" for one that is not read."""
    plain = name.lower().removesuffix(".gz")
    return next((known for known in SUFFIXES if plain.endswith(known)), "")


def split_of(name: str) -> str:
    """The split that a file or folder is named after, "" for none: train-00000-of-00002.parquet is of train."""
    for split, pattern in _NAMES.items():
        if re.match(rf"{pattern}(?![A-Za-z])", name, flags=re.IGNORECASE):
            return split
    return ""


def by_split(paths: Iterable[str], source: str) -> dict[str, list[str]]:
    """Groups the readable files by split, in order; "" holds the only file when none is named after a split.

    Raises RefusedError when there is nothing to read, or when the names do not say what is what.
    """
    readable = sorted(path for path in paths if suffix(path) and not _hidden(path))
    groups: dict[str, list[str]] = {}
    for path in readable:
        split = _split_of_path(path)
        if split:
            groups.setdefault(split, []).append(path)
    if not groups:
        return {"": [_only(readable, source)]}
    if "train" not in groups:
        raise RefusedError(
            f"{source}: there is no file for training, only {', '.join(readable)}",
            next="name the file train.jsonl (or .json, .csv, .parquet)",
        )
    return {split: _one_format(groups[split], split, source) for split in SPLITS if split in groups}


def _split_of_path(path: str) -> str:
    # The file's own name, or else the folder it is in.
    parts = pathlib.PurePosixPath(path).parts
    return next((split for split in map(split_of, reversed(parts[-2:])) if split), "")


def _only(readable: list[str], source: str) -> str:
    if not readable:
        raise RefusedError(
            f"{source}: there is no data in it", f"it must have files whose names end in {', '.join(SUFFIXES)}"
        )
    if len(readable) > 1:
        raise RefusedError(
            f"{source}: {len(readable)} files, and none says which split it is: {', '.join(readable[:5])}",
            next="name them train, validation and test, or name one file",
        )
    return readable[0]


def _one_format(paths: list[str], split: str, source: str) -> list[str]:
    """The files of one folder and format: the same rows are often there as CSV and as Parquet."""
    best = min((suffix(path) for path in paths), key=SUFFIXES.index)
    chosen = [path for path in paths if suffix(path) == best]
    folders = sorted({str(pathlib.PurePosixPath(path).parent) for path in chosen})
    if len(folders) > 1:
        raise RefusedError(
            f"{source}: the split {split} is in several folders: {', '.join(folders[:5])}",
            next=f"name one of them, such as {source.rstrip('/')}/{folders[0]}",
        )
    return chosen


def _hidden(path: str) -> bool:
    return any(part.startswith((".", "_")) for part in pathlib.PurePosixPath(path).parts)

"""The examples on the volume: a directory that appears in one step, with its checksums."""

import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Iterable
from typing import Any

from ..layout import write_json
from .files import SPLITS

VERSION = 1
INDEX = "data.json"


def load(directory: pathlib.Path) -> dict[str, Any] | None:
    """data.json of a directory whose files are as they were written; None for any other."""
    try:
        index = json.loads((directory / INDEX).read_text(encoding="utf-8"))
        whole = index["version"] == VERSION and index["sha256"] == checksum(directory)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return index if whole else None


def checksum(directory: pathlib.Path) -> str:
    """The SHA-256 over the three files; raises OSError when one is missing."""
    digest = hashlib.sha256()
    for split in SPLITS:
        digest.update(f"{split} {file_sha256(directory / f'{split}.jsonl')}\n".encode())
    return digest.hexdigest()


def file_sha256(path: pathlib.Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Writer:
    """Writes a directory beside its place, and moves it there at the end."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._final = directory
        self._part = directory.with_name(directory.name + ".part")
        shutil.rmtree(self._part, ignore_errors=True)
        self._part.mkdir(parents=True)

    def split(self, split: str, lines: Iterable[dict[str, Any]]) -> None:
        """Writes the lines of one split."""
        with (self._part / f"{split}.jsonl").open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def finish(self, index: dict[str, Any]) -> dict[str, Any]:
        """Writes data.json with the checksum added, and moves the directory to its place; returns what it wrote."""
        index = {"version": VERSION, **index, "sha256": checksum(self._part)}
        write_json(self._part / INDEX, index)
        shutil.rmtree(self._final, ignore_errors=True)
        self._part.rename(self._final)
        return index

"""Checkpoints: one is whole when its marker says so, which is written after everything else is on the disk."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterator

from ..errors import DiskFullError, chain, is_disk_full, one_line
from ..layout import write_json

MARKER = "complete.json"

# Bytes; the smallest file of a checkpoint is larger.
_LITTLE = 64 * 1024


@contextlib.contextmanager
def writing(directory: pathlib.Path, seal: bool = True) -> Iterator[None]:
    """Lets a directory be filled, and then declares it whole; one that fails is removed.

    Raises DiskFullError when there was no room for it. Without `seal` another process declares it whole.
    """
    try:
        yield
        if seal:
            _seal(directory)
    except Exception as error:
        full = _no_room(directory, error)
        shutil.rmtree(directory, ignore_errors=True)
        if not full:
            raise
        raise DiskFullError(
            f"no room is left on the volume for {directory.name}: {one_line(error)}",
            next="make the volume larger; the run goes on from the last checkpoint",
        ) from error


def newest(folder: pathlib.Path) -> tuple[pathlib.Path | None, list[str]]:
    """The newest whole checkpoint, if any, and the names of newer ones that are not whole."""
    skipped: list[str] = []
    for directory in sorted(folder.glob("checkpoint-*"), key=_step, reverse=True):
        if _whole(directory):
            return directory, skipped
        skipped.append(directory.name)
    return None, skipped


def discard(folder: pathlib.Path, names: list[str]) -> None:
    """Removes checkpoints that are not whole: their room is needed."""
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)


def step_of(directory: pathlib.Path | None) -> int:
    """The step after which a checkpoint was written; 0 without one."""
    return 0 if directory is None else _step(directory)


def _step(directory: pathlib.Path) -> int:
    number = directory.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _seal(directory: pathlib.Path) -> None:
    files = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.name != MARKER:
            with path.open("rb") as file:
                os.fsync(file.fileno())
            files[str(path.relative_to(directory))] = _sha256(path)
    write_json(directory / MARKER, {"files": files})


def _whole(directory: pathlib.Path) -> bool:
    try:
        files = json.loads((directory / MARKER).read_text(encoding="utf-8"))["files"]
        return all(_sha256(directory / name) == digest for name, digest in files.items())
    except (OSError, ValueError, KeyError):
        return False


def _no_room(directory: pathlib.Path, error: BaseException) -> bool:
    # Not all libraries say why they could not write, and safetensors only quotes the system.
    quoted = any(re.search("No space left|[Qq]uota exceeded", str(link)) for link in chain(error))
    return quoted or is_disk_full(error) or shutil.disk_usage(directory.parent).free < _LITTLE


def _sha256(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

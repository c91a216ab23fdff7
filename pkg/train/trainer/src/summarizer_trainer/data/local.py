"""Data that lies on the volume: a file, a directory, or an archive of one."""

import os
import pathlib
import shutil
import tarfile
from collections.abc import Iterator

from ..errors import RefusedError, one_line
from ..events import Events
from . import files

DEPTH = 4
"""How many levels of a folder are looked at."""


class LocalSource:
    """A path, as Source describes it."""

    revision = ""
    license = ""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._path = pathlib.Path(uri)

    def check(self) -> None:
        """Raises RefusedError when there is nothing at the path, or nothing that is read."""
        check_path(self._path, self.uri)

    def fetch(self, work: pathlib.Path, events: Events) -> dict[str, list[pathlib.Path]]:
        """Reads files where they lie; an archive is unpacked below `work`."""
        return open_path(self._path, self.uri, work)


def check_path(path: pathlib.Path, source: str) -> None:
    """Raises RefusedError unless the path is there, as a directory or a file of a known format."""
    if not path.exists():
        raise RefusedError(
            f"data.uri: there is no {path}", "in a cluster it must be on the run's volume, or an address"
        )
    if not path.is_dir():
        check_format(path.name, source)


def check_format(name: str, source: str) -> None:
    """Raises RefusedError unless the name of a file says how it is read."""
    if not name.lower().endswith(files.ARCHIVES) and not files.suffix(name):
        known = ", ".join((*files.SUFFIXES, *files.ARCHIVES))
        raise RefusedError(f"{source}: its format cannot be told", f"its name must end in one of {known}")


def open_path(path: pathlib.Path, source: str, work: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """The files of each split at a path, after unpacking an archive below `work`; raises RefusedError."""
    check_path(path, source)
    if path.is_file() and not path.name.lower().endswith(files.ARCHIVES):
        # Whatever its name says of a split: the only file is divided.
        return {"": [path]}
    if path.is_file():
        unpack(path, work / "unpacked", source)
        path = work / "unpacked"
    groups = files.by_split(_below(path), source)
    return {split: [path / name for name in names] for split, names in groups.items()}


def _below(directory: pathlib.Path) -> Iterator[str]:
    """The files in a directory, not too deep: it may be a whole volume."""
    for folder, folders, names in os.walk(directory, followlinks=True):
        inside = pathlib.Path(folder).relative_to(directory)
        if len(inside.parts) >= DEPTH - 1:
            folders.clear()
        yield from (str(inside / name) for name in names)


def unpack(archive: pathlib.Path, into: pathlib.Path, source: str) -> None:
    """Unpacks the files that are read, and nothing outside the directory; raises RefusedError."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                inside = pathlib.PurePosixPath(member.name)
                if not member.isfile() or not files.suffix(inside.name):
                    continue
                if inside.is_absolute() or ".." in inside.parts:
                    raise RefusedError(f"{source}: it holds {member.name!r}, which is outside of it")
                target = into / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                content = tar.extractfile(member)
                assert content is not None
                with content, target.open("wb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise RefusedError(f"{source}: it cannot be unpacked: {one_line(error)}") from error
    if not into.exists():
        raise RefusedError(f"{source}: there is no data in it", f"names must end in {', '.join(files.SUFFIXES)}")

"""Brings the weights of a model to the volume, once, and never half."""

import json
import os
import pathlib
import shutil
import threading
import time

from ..errors import DiskFullError, RefusedError, TrainerError
from ..events import Events
from ..hub import Hub, Repo
from ..layout import write_json
from ..ticker import Ticker

PHASE = "weights"
MARKER = "complete.json"
# Files at once: more only makes the Hub answer 429 sooner.
WORKERS = 4
# The data must find room after the weights.
RESERVE_BYTES = 256 << 20
GIB = 1 << 30


def directory(volume: pathlib.Path, repo: Repo) -> pathlib.Path:
    """Where a model lies; the revision must be a commit."""
    return volume / "models" / repo.id.replace("/", "--") / repo.revision


def is_complete(directory: pathlib.Path) -> bool:
    """Whether every file is there with the size that was noted at the end."""
    try:
        files = json.loads((directory / MARKER).read_text(encoding="utf-8"))["files"]
        return all((directory / path).stat().st_size == size for path, size in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def fetch(hub: Hub, repo: Repo, sizes: dict[str, int], volume: pathlib.Path, events: Events) -> pathlib.Path:
    """Fetches the files to the model's directory, which appears by one rename; raises TrainerError.

    Files that an interrupted attempt has finished are kept.
    """
    final = directory(volume, repo)
    total = sum(sizes.values())
    if is_complete(final):
        events.phase(PHASE, f"{repo.id} is there")
        return final
    events.phase(PHASE, f"{repo.id}, {total / GIB:.2f} GiB")
    part = final.with_name(final.name + ".part")
    if final.is_dir() and not part.is_dir():
        # Something was lost from it: only that is fetched.
        final.rename(part)
    part.mkdir(parents=True, exist_ok=True)
    # The library never takes up a file that another process began.
    shutil.rmtree(part / ".cache", ignore_errors=True)
    for path, size in sizes.items():
        if (part / path).is_file() and (part / path).stat().st_size != size:
            (part / path).unlink()
    _check_room(repo, total, _bytes_below(part), volume)
    with Ticker(events, PHASE, "bytes", lambda: (min(total, _bytes_below(part)), total)):
        _fetch_all(hub, repo, sizes, part)
    shutil.rmtree(part / ".cache", ignore_errors=True)
    write_json(part / MARKER, {"repo": repo.id, "commit": repo.revision, "files": sizes})
    shutil.rmtree(final, ignore_errors=True)
    part.rename(final)
    return final


def _check_room(repo: Repo, total: int, there: int, volume: pathlib.Path) -> None:
    needed, free = total - there + RESERVE_BYTES, shutil.disk_usage(volume).free
    if needed > free:
        raise DiskFullError(
            f"{repo}: {needed / GIB:.1f} GiB are needed on the volume, and {free / GIB:.1f} GiB are free",
            next="make the volume larger, or remove runs and models that are not needed",
        )


def _fetch_all(hub: Hub, repo: Repo, sizes: dict[str, int], part: pathlib.Path) -> None:
    # The largest first, so that the small ones fill the gaps.
    left = sorted(sizes, key=lambda path: sizes[path])
    failures: list[Exception] = []

    def work() -> None:
        while not failures:
            try:
                path = left.pop()
            except IndexError:
                return
            try:
                _fetch_one(hub, repo, path, sizes[path], part)
            except Exception as error:
                # Raised again below, in the thread that waits.
                failures.append(error)

    # Daemons: after a failure, or when it is stopped, the program does not wait for what is under way.
    threads = [threading.Thread(target=work, name=f"{PHASE} {n}", daemon=True) for n in range(WORKERS)]
    try:
        for thread in threads:
            thread.start()
        while not failures and any(thread.is_alive() for thread in threads):
            time.sleep(0.05)
        if failures:
            raise failures[0]
    finally:
        left.clear()


def _fetch_one(hub: Hub, repo: Repo, path: str, size: int, part: pathlib.Path) -> None:
    file = part / path
    if file.is_file():
        return
    hub.download(repo, path, part)
    found = file.stat().st_size
    if found != size:
        file.unlink()
        raise TrainerError(f"{repo}: {path} arrived with {found} bytes instead of {size}")


def files_of(path: pathlib.Path) -> dict[str, int]:
    """The files of a model's directory, by path and size; raises RefusedError when there is none."""
    if not path.is_dir():
        raise RefusedError(f"model.id: there is no directory {path}", "name a directory of the volume, or a Hub id")
    return {
        str(pathlib.Path(folder, name).relative_to(path)): pathlib.Path(folder, name).stat().st_size
        for folder, _, names in os.walk(path)
        for name in names
    }


def _bytes_below(directory: pathlib.Path) -> int:
    """Bytes that the files below a directory take; what is being written counts as it grows."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                found = os.lstat(os.path.join(folder, name))
            except FileNotFoundError:
                continue  # renamed meanwhile
            # A file that is written in parts has its full size from the start. Network file systems may report no
            # blocks at all.
            written = found.st_blocks * 512
            total += min(found.st_size, written) if written else found.st_size
    return total

"""Installs the layer of Python packages on the volume, with pip, from the lock file with its hashes."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from urllib.parse import urlsplit

from .. import environment
from ..environment import Layer
from ..errors import DiskFullError, RefusedError, TrainerError
from ..events import Events
from ..layout import write_json
from ..ticker import Ticker

PHASE = "environment"
# What pip needs at the same time: the files as they come, and what is unpacked from them.
NEEDED_BYTES = 1 << 30
KEEP_SECONDS = 24 * 3600.0
_UNREACHABLE = re.compile(
    r"NewConnectionError|Failed to establish a new connection|Connection refused|Name or service not known|"
    r"Temporary failure in name resolution|ReadTimeoutError|ConnectTimeoutError|ProxyError|SSLError|"
    r"ConnectionResetError|Connection broken|Could not fetch URL|Network is unreachable|No route to host"
)
_OTHER_INDEX = (
    "use an index that mirrors PyPI with --package-index, or an image with the packages baked in with --image"
)


def run(volume: pathlib.Path, events: Events) -> None:
    """Sees to it that the locked packages can be imported; raises TrainerError."""
    layer = environment.layer()
    environment.activate(volume)
    missing = layer.missing() if layer else []
    if layer is None or not missing:
        events.phase(PHASE, "all packages are there")
        return
    count = len(layer.packages)
    events.phase(PHASE, f"{count} packages")
    directory = layer.directory(volume)
    directory.parent.mkdir(parents=True, exist_ok=True)
    _check_room(directory.parent)
    # On the volume, where there is room for it: /tmp may be memory.
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=directory.parent) as work:
        target = pathlib.Path(work, "target")
        _install(layer, pathlib.Path(work), target, events)
        write_json(target / environment.MARKER, {"packages": layer.packages, "for": environment.kind()})
        # What is there was not complete, or was made for another Python.
        shutil.rmtree(directory, ignore_errors=True)
        target.rename(directory)
    _remove_old(directory)
    environment.activate(volume)
    missing = layer.missing()
    if missing:
        raise TrainerError(f"{', '.join(missing)} cannot be found in {directory} after they were installed there")


def _check_room(directory: pathlib.Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < NEEDED_BYTES:
        raise DiskFullError(
            f"the Python packages need {NEEDED_BYTES / 2**30:.1f} GiB, and the volume has {free / 2**30:.1f} GiB free",
            next="make the volume larger",
        )


def _install(layer: Layer, work: pathlib.Path, target: pathlib.Path, events: Events) -> None:
    lock = work / "layer.lock"
    lock.write_text(layer.text, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--target", str(target), "--no-deps", "--require-hashes"]
    command += ["--no-build-isolation", "--only-binary", ":all:", "--no-binary", "rouge-score", "--no-cache-dir"]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--no-warn-conflicts"]
    # Without a retry pip does not say whether an index was away or lacks a package.
    command += ["--retries", "3", "-r", str(lock)]
    total, seen = len(layer.packages), 0
    last: deque[str] = deque(maxlen=40)
    with Ticker(events, PHASE, "packages", lambda: (seen, total)):
        process = subprocess.Popen(
            command,
            env={**os.environ, "TMPDIR": str(work)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last.append(line.rstrip())
                if line.startswith(("Collecting ", "Processing ")):
                    seen += 1
                elif not line.startswith((" ", "Installing ", "Building ", "Successfully ", "Looking ")):
                    sys.stderr.write(line)
            code = process.wait()
            seen = seen if code else total
        finally:
            # Interrupted: pip must not go on alone.
            if process.poll() is None:
                process.kill()
                process.wait()
    if code:
        raise _failure(code, "\n".join(last))


def _failure(code: int, output: str) -> TrainerError:
    """What pip's last words mean."""
    index = _index()
    if "No module named pip" in output:
        return RefusedError(
            f"{sys.executable} has no pip, and packages of layer.lock are missing",
            next="use an image with pip, or one with the packages baked in, with --image",
        )
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return DiskFullError("the volume was full while Python packages were installed", next="make the volume larger")
    why = _errors(output)
    if "DO NOT MATCH THE HASHES" in output:
        return RefusedError(f"the package index {index} serves other files than those that were tested: {why}")
    if _UNREACHABLE.search(output):
        return TrainerError(f"the package index {index} (PIP_INDEX_URL) cannot be reached: {why}", _OTHER_INDEX)
    if "No matching distribution found" in output:
        return RefusedError(f"the package index {index} (PIP_INDEX_URL) lacks a package: {why}", _OTHER_INDEX)
    return TrainerError(f"pip ended with exit code {code}: {why}")


def _errors(output: str) -> str:
    lines = [line.removeprefix("ERROR: ").strip() for line in output.splitlines() if line.startswith("ERROR: ")]
    return (" ".join(lines) or " ".join(output.split()[-60:]))[:500]


def _index() -> str:
    """The index without the user and password that its address may hold."""
    url = os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _remove_old(current: pathlib.Path) -> None:
    """Removes layers of other lock files that no stage has used for a day, and what interrupted installations left."""
    for directory in current.parent.iterdir():
        with contextlib.suppress(OSError):
            marker = directory / environment.MARKER
            used = (marker if marker.exists() else directory).stat().st_mtime
            if directory != current and directory.is_dir() and time.time() - used > KEEP_SECONDS:
                shutil.rmtree(directory, ignore_errors=True)

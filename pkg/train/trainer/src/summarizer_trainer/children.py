"""Runs a part of the work in a child process: what it took of the GPU is free afterwards, and its crash is not ours."""

import json
import os
import subprocess
import sys
import threading
from typing import Any

from . import machine
from .errors import DiskFullError, DivergedError, InterruptedRunError, OutOfMemoryError, RefusedError, TrainerError
from .events import Events

_KINDS = {kind.kind: kind for kind in (TrainerError, RefusedError, DiskFullError, OutOfMemoryError, DivergedError)}


def run(command: list[str], what: str, events: Events, stop_seconds: float, env: dict[str, str] | None = None) -> None:
    """Runs a command to its end and tells its events as this process's own; `what` names it in messages.

    Raises the TrainerError that it ended with. An exception in this process, such as a signal's, is passed on as
    SIGTERM; after `stop_seconds` the child is killed.
    """
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **(env or {})},
    ) as child:
        # A thread of its own: what the child says while it stops is told too.
        relay = _Relay(child, events)
        try:
            code = child.wait()
        except BaseException:
            child.terminate()
            try:
                child.wait(stop_seconds)
            except subprocess.TimeoutExpired:
                child.kill()
            relay.join(1.0)
            if relay.interrupted is not None:
                raise relay.interrupted from None
            raise
        relay.join()
    if code != 0:
        raise relay.interrupted or relay.failure or _unexplained(what, code)


class _Relay(threading.Thread):
    """Passes on what a child says; how it ended is kept, for the caller tells it."""

    def __init__(self, child: "subprocess.Popen[str]", events: Events) -> None:
        super().__init__(daemon=True)
        self.failure: TrainerError | None = None
        self.interrupted: InterruptedRunError | None = None
        self._child = child
        self._events = events
        self.start()

    def run(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            entry = _event(line)
            if entry is None:
                sys.stdout.write(line)
                sys.stdout.flush()
            elif entry["event"] == "error":
                self.failure = _KINDS.get(entry["kind"], TrainerError)(entry["message"], entry["next"])
            elif entry["event"] == "interrupted":
                self.interrupted = InterruptedRunError(entry["message"], entry["step"])
            else:
                self._events.emit(**{key: value for key, value in entry.items() if key != "time"})


def _event(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "event" in entry else None


def _unexplained(what: str, code: int) -> TrainerError:
    if code == InterruptedRunError.exit_code:
        return InterruptedRunError(f"{what} was stopped by SIGTERM")
    if code == -9:
        # Nobody else kills: the kernel ends what takes the last memory of a container.
        limit = machine.memory_limit_gib()
        return OutOfMemoryError(
            f"the container ran out of memory in {what}" + (f", it may take {limit:.1f} GiB" if limit else ""),
            next="raise the memory of the run, or lower training.batchSize",
        )
    return TrainerError(f"{what} ended with exit code {code}: the log above says more")

"""Tells the world what happens, as FORMATS.md describes it: one JSON object a line on stdout, and in events.jsonl."""

import json
import pathlib
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

VERSION = 1

Listener = Callable[[dict[str, Any]], None]
Keeper = Callable[[str, Any], None]


class Events:
    """Writes events; safe to use from several threads."""

    def __init__(self, log: pathlib.Path | None = None, *listeners: Listener) -> None:
        """Each listener gets every event after it was written to stdout and to the log."""
        self._lock = threading.Lock()
        self._log = log
        self._listeners = [*listeners]
        self._keeper: Keeper | None = None

    def attach(self, listener: Listener, keeper: Keeper) -> None:
        """Adds a listener that also keeps what `keep` is called with: the record in the cluster."""
        self._listeners.append(listener)
        self._keeper = keeper

    def emit(self, event: str, **fields: Any) -> None:
        """Writes one event. A log that cannot be written (a full disk) does not end the run."""
        entry = {"event": event, "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **fields}
        line = json.dumps(entry, ensure_ascii=False, allow_nan=False)
        with self._lock:
            # One write a line: other processes and libraries write to the same stream.
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            if self._log is not None:
                try:
                    self._log.parent.mkdir(parents=True, exist_ok=True)
                    with self._log.open("a", encoding="utf-8") as file:
                        file.write(line + "\n")
                except OSError:
                    self._log = None
        for listener in self._listeners:
            listener(entry)

    def keep(self, key: str, value: Any) -> None:
        """Puts a JSON value under a key of the record, where it outlives the volume; without a record, nothing."""
        if self._keeper is not None:
            self._keeper(key, value)

    def phase(self, phase: str, detail: str = "") -> None:
        """Says what is being done from now on."""
        self.emit("phase", phase=phase, detail=detail)

    def progress(self, phase: str, done: int, total: int, unit: str) -> None:
        """Says how far a phase is; a total of 0 is unknown."""
        self.emit("progress", phase=phase, done=done, total=total, unit=unit)

    def warning(self, message: str) -> None:
        """Says what is wrong and does not end the run."""
        self.emit("warning", message=message)

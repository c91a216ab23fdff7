"""The termination message of the container: what outlives a pod even when the record cannot be written."""

import json
import os
import pathlib
from typing import Any

from .result import SHORT_BYTES

PATH = "/dev/termination-log"


class Message:
    """Listens for what ends a run, and writes the last of it; TERMINATION_LOG names another file."""

    def __init__(self) -> None:
        self._last: dict[str, Any] | None = None

    def __call__(self, entry: dict[str, Any]) -> None:
        """Takes an event."""
        if entry["event"] in ("error", "interrupted"):
            self._last = {key: value for key, value in entry.items() if key != "time"}
        elif entry["event"] == "result":
            self._last = entry["result"]

    def write(self) -> None:
        """Writes the event `error` or `interrupted`, or the short result. A file that cannot be written is left."""
        if self._last is None:
            return
        try:
            pathlib.Path(os.environ.get("TERMINATION_LOG", PATH)).write_bytes(_fitting(self._last))
        except OSError:
            # The same is on stdout.
            return


def _fitting(value: dict[str, Any]) -> bytes:
    """JSON of at most SHORT_BYTES, texts cut where it must be."""
    longest = SHORT_BYTES
    while True:
        cut = {k: v[:longest] if isinstance(v, str) else v for k, v in value.items()}
        text = json.dumps(cut, ensure_ascii=False, allow_nan=False).encode()
        if len(text) <= SHORT_BYTES or not longest:
            return text[:SHORT_BYTES]
        longest //= 2

"""Writes what must outlive the pods into the run's ConfigMap. A run never waits for it, and never fails by it."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from .kubernetes import Api, ApiError
from .spec import Cluster

PROGRESS_SECONDS = 10.0
_LAST_TRIES = 3
# Bad request, too large, invalid: the same again would be refused again.
_NEVER_TAKEN = (400, 413, 422)
_PROGRESS = ("phase", "progress", "step", "eval")


class Record:
    """The record of a run: a listener of Events for progress and errors, and a keeper for the rest.

    A thread of its own sends what has changed: progress at most every `interval` seconds, the rest at once, and all of
    it again later when a request failed. `warn` is told once when the record cannot be written.
    """

    def __init__(
        self,
        cluster: Cluster,
        warn: Callable[[str], None],
        api: Api | None = None,
        interval: float = PROGRESS_SECONDS,
    ) -> None:
        self._path = f"/api/v1/namespaces/{cluster.namespace}/configmaps/{cluster.record}"
        self._name = f"ConfigMap {cluster.record}"
        self._warn = warn
        self._api = api or Api()
        self._interval = interval
        self._changed = threading.Condition()
        self._progress: dict[str, Any] = {}
        self._pending: dict[str, str | None] = {}
        self._urgent = False
        self._closing = False
        self._warned = False
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def __call__(self, entry: dict[str, Any]) -> None:
        """Takes an event, and returns at once."""
        event = entry["event"]
        if event == "start":
            self._set("error.json", None, urgent=True)
        elif event == "error":
            self._set("error.json", _text(entry), urgent=True)
        elif event in _PROGRESS:
            with self._changed:
                self._progress[event] = entry
                self._set("progress.json", _text(self._progress), urgent=False)

    def keep(self, key: str, value: Any) -> None:
        """Puts a JSON value under a key of the record, and returns at once."""
        self._set(key, _text(value), urgent=True)

    def close(self, timeout: float = 20.0) -> None:
        """Sends what is left, within so many seconds, and ends the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._tell("it was not answered in time")

    def _set(self, key: str, text: str | None, urgent: bool) -> None:
        with self._changed:
            self._pending[key] = text
            self._urgent = self._urgent or urgent
            self._changed.notify()

    def _run(self) -> None:
        sent = time.monotonic() - self._interval
        failed = False
        last_tries = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._pending)
                if not self._pending or last_tries == _LAST_TRIES:
                    return
                due = sent + self._interval
                # After a failure the interval is waited for, whatever is to be sent.
                while not self._closing and (failed or not self._urgent) and (rest := due - time.monotonic()) > 0:
                    self._changed.wait(rest)
                pending, self._pending, self._urgent = self._pending, {}, False
                last_tries += self._closing
            left = self._send(pending)
            failed = bool(left)
            with self._changed:
                # What was set meanwhile is newer.
                self._pending = {**left, **self._pending}
            sent = time.monotonic()
            if failed and last_tries:
                time.sleep(min(1.0, self._interval))

    def _send(self, pending: dict[str, str | None]) -> dict[str, str | None]:
        """Sends the keys, and returns those to be sent again."""
        try:
            self._api.merge(self._path, {"data": pending})
        except ApiError as error:
            if error.status in _NEVER_TAKEN and len(pending) > 1:
                # One value that is too large must not keep the others out.
                return {k: v for key, text in pending.items() for k, v in self._send({key: text}).items()}
            self._tell(f"{', '.join(pending)}: {error}")
            return {} if error.status in _NEVER_TAKEN else pending
        return {}

    def _tell(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(f"{self._name} cannot be written, and the run goes on without it: {why}")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)

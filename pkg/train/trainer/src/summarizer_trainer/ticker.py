"""Progress of what takes longer than two seconds."""

import contextlib
import threading
from collections.abc import Callable
from types import TracebackType

from .events import Events

SECONDS = 2.0


class Ticker:
    """Emits a `progress` event when it is entered, every two seconds, and when it is left without an error.

    `measure` returns what is done and the total, 0 for one that is unknown; it is called from a thread, and may fail
    with OSError, for instance while files are renamed: then that event is left out.
    """

    def __init__(self, events: Events, phase: str, unit: str, measure: Callable[[], tuple[int, int]]) -> None:
        self._events = events
        self._phase = phase
        self._unit = unit
        self._measure = measure
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{phase} progress", daemon=True)

    def __enter__(self) -> "Ticker":
        self._show()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if error is None:
            self._show()

    def _run(self) -> None:
        while not self._stop.wait(SECONDS):
            self._show()

    def _show(self) -> None:
        with contextlib.suppress(OSError):
            done, total = self._measure()
            self._events.progress(self._phase, done, total, self._unit)

"""Judges in a process of its own, which gives back all memory of the GPU when it ends: see `child`."""

import pathlib
import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn

from .. import environment, spec
from ..errors import InterruptedRunError, TrainerError, one_line
from ..events import Events
from ..layout import Layout, Prepared
from . import run


class _StoppedError(BaseException):
    """SIGTERM has arrived; no library takes it for one of its own errors."""


def main(path: str) -> int:
    """Judges the run of a run.yaml and returns the exit code of FORMATS.md; says by events what ended it."""
    # Without a log: whoever started this process gets the events and keeps them.
    events = Events()
    signal.signal(signal.SIGTERM, _stop)
    try:
        specification = spec.load(pathlib.Path(path))
        layout = Layout(specification)
        environment.activate(layout.volume)
        run(specification, layout, Prepared.load(layout.prepared), events)
        return 0
    except _StoppedError:
        return InterruptedRunError.exit_code
    except TrainerError as error:
        failure = error
    except Exception as error:
        traceback.print_exc()
        failure = TrainerError(f"judging failed: {type(error).__name__}: {one_line(error)}")
    events.emit("error", kind=failure.kind, message=str(failure), next=failure.next)
    return failure.exit_code


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _StoppedError


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

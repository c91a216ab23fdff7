"""Runs the stages of run.yaml: without a stage, prepare and then train; publish and probe take a second file."""

import argparse
import json
import os
import pathlib
import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn

from . import environment, result, spec
from .errors import DiskFullError, InterruptedRunError, OutOfMemoryError, TrainerError, is_disk_full, one_line
from .events import VERSION, Events
from .layout import Layout
from .record import Record
from .termination import Message

STAGES = ("prepare", "train", "publish", "probe")
# Read by the libraries when they are imported.
_ENVIRONMENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DOWNLOAD_TIMEOUT": "30",
    # A second copy of the weights in Xet's chunk cache would not fit the volume.
    "HF_XET_CHUNK_CACHE_SIZE_BYTES": "0",
    "TOKENIZERS_PARALLELISM": "false",
}
# The kubelet waits 30 seconds by default, and a checkpoint may have taken most of them.
_LAST_WRITES_SECONDS = 5.0


class _StoppedError(BaseException):
    """SIGTERM has arrived; no handler of errors takes it for one of those."""


def main(arguments: list[str]) -> int:
    """Runs the stages and returns the exit code; what ends them is said by an event. FORMATS.md has both."""
    options = _parse(arguments)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    message = Message()
    events = Events(None, message)
    record = None
    try:
        signal.signal(signal.SIGTERM, _stop)
        run = spec.load(options.run)
        layout = Layout(run)
        events = Events(layout.events, message)
        if run.cluster is not None:
            record = Record(run.cluster, events.warning)
            events.attach(record, record.keep)
        for stage in (options.stage,) if options.stage else ("prepare", "train"):
            _run(stage, options, run, layout, events)
        code = 0
    except BaseException as error:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        failure = _explain(error)
        _say(failure, events)
        code = failure.exit_code
    if record is not None or "TERMINATION_LOG" in os.environ:
        message.write()
    if record is not None:
        # Last: it may wait for the network.
        record.close(_LAST_WRITES_SECONDS if code == InterruptedRunError.exit_code else 4 * _LAST_WRITES_SECONDS)
    return code


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m summarizer_trainer", description=__doc__)
    parser.add_argument("stage", nargs="?", choices=STAGES, help="without one: prepare, then train")
    parser.add_argument("run", type=pathlib.Path, metavar="run.yaml")
    parser.add_argument("request", nargs="?", type=pathlib.Path, help="publish.yaml or probe.yaml, of those two stages")
    if arguments and arguments[0] not in (*STAGES, "-h", "--help"):
        # argparse gives the first word to `stage`.
        options = parser.parse_args(["prepare", *arguments])
        options.stage = None
    else:
        options = parser.parse_args(arguments)
    if (options.stage in ("publish", "probe")) != (options.request is not None):
        parser.error("the stages publish and probe, and no others, take a second file")
    return options


def _run(stage: str, options: argparse.Namespace, run: spec.Spec, layout: Layout, events: Events) -> None:
    # Before anything is imported that the layer has too.
    environment.activate(layout.volume)
    events.emit(
        "start",
        version=VERSION,
        run=run.name,
        stage=stage,
        attempt=_attempt(layout.events, stage),
        versions=result.versions(),
    )
    if stage == "prepare":
        from . import preparation

        preparation.run(run, layout, events)
    elif stage == "train":
        from . import stages

        stages.train(options.run, run, layout, events)
    elif stage == "publish":
        from . import publishing

        publishing.run(run, layout, events, options.request)
    else:
        from . import probe

        probe.run(run, layout, events, options.request)


def _attempt(log: pathlib.Path, stage: str) -> int:
    """How often the stage has been begun, this time counted."""
    earlier = 0
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                earlier += '"start"' in line and _is_start(line, stage)
    except OSError:
        return 1
    return earlier + 1


def _is_start(line: str, stage: str) -> bool:
    try:
        event = json.loads(line)
        return bool(event["event"] == "start" and event["stage"] == stage)
    except (ValueError, KeyError, TypeError):
        # A line that a full disk has cut.
        return False


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _StoppedError


def _explain(error: BaseException) -> TrainerError:
    """What ended the run, as one of the kinds that have an exit code."""
    if isinstance(error, TrainerError):
        return error
    if isinstance(error, (_StoppedError, KeyboardInterrupt)):
        return InterruptedRunError(f"stopped by {'Ctrl-C' if isinstance(error, KeyboardInterrupt) else 'SIGTERM'}")
    if is_disk_full(error):
        return DiskFullError(f"no room is left: {one_line(error)}", next="make the volume larger")
    if isinstance(error, MemoryError):
        return OutOfMemoryError("the container has too little memory", next="raise the memory of the run")
    traceback.print_exception(error, file=sys.stderr)
    return TrainerError(f"{type(error).__name__}: {one_line(error)}")


def _say(failure: TrainerError, events: Events) -> None:
    if isinstance(failure, InterruptedRunError):
        events.emit("interrupted", step=failure.step, message=str(failure))
    else:
        events.emit("error", kind=failure.kind, message=str(failure), next=failure.next)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

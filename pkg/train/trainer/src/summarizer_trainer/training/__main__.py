"""Trains in a process of its own, which gives back all memory of the GPU when it ends; see `stages`."""

import os
import pathlib
import sys
import traceback

from .. import environment, spec
from ..errors import DiskFullError, InterruptedRunError, OutOfMemoryError, TrainerError, is_disk_full, one_line
from ..events import Events
from ..layout import Layout, Prepared


def main(path: str) -> int:
    """Trains the run of a run.yaml and returns the exit code of FORMATS.md; says by events what ended it."""
    # Without a log: whoever started this process gets the events and keeps them.
    events = Events()
    try:
        specification = spec.load(pathlib.Path(path))
        layout = Layout(specification)
        environment.activate(layout.volume)
        from . import device

        device.choose(specification.training)
        # Only now: these imports take their time.
        from .run import run

        run(specification, layout, Prepared.load(layout.prepared), events)
        return 0
    except BaseException as error:
        failure = _explain(error)
    if int(os.environ.get("RANK", "0")) == 0:
        if isinstance(failure, InterruptedRunError):
            events.emit("interrupted", step=failure.step, message=str(failure))
        else:
            events.emit("error", kind=failure.kind, message=str(failure), next=failure.next)
    return failure.exit_code


def _explain(error: BaseException) -> TrainerError:
    if isinstance(error, TrainerError):
        return error
    if is_disk_full(error):
        return DiskFullError(
            f"no room is left on the volume: {one_line(error)}",
            next="make the volume larger; the run goes on from the last checkpoint",
        )
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return OutOfMemoryError(
            f"the GPU has too little memory: {one_line(error)}",
            next="a smaller training.batchSize (with the same effectiveBatchSize the result is the same), "
            "training.gradientCheckpointing: on, or training.quantization: nf4",
        )
    traceback.print_exception(error, file=sys.stderr)
    return TrainerError(f"the training failed: {type(error).__name__}: {one_line(error)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

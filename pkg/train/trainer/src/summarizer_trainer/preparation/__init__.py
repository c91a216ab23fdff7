"""The stage `prepare`: everything that needs no GPU, and the network, is done before a GPU is asked for."""

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable

from ..errors import RefusedError, TrainerError
from ..events import Events
from ..kubernetes import Api, ApiError
from ..layout import Layout
from ..spec import Spec
from . import install, lock

_START_TRIES = 5


def run(spec: Spec, layout: Layout, events: Events) -> None:
    """Prepares a run, and lets its training begin; raises TrainerError.

    What an earlier attempt has finished is not done again, and with the same specification nothing else is used: a
    branch of the Hub that moves meanwhile does not change a run.
    """
    with lock.alone(layout.volume, events):
        install.run(layout.volume, events)
        # Only now can the packages be imported that the other steps need.
        from . import steps

        prepared = steps.run(spec, layout, _asked(spec), events)
    prepared.save(layout.prepared)
    events.keep("prepared.json", dataclasses.asdict(prepared))
    _start(spec, events)


def _asked(spec: Spec) -> str:
    """Identifies the parts of the specification that the preparation follows."""
    sections = [dataclasses.asdict(section) for section in (spec.model, spec.data, spec.prompt)]
    text = json.dumps([*sections, spec.training.maxLength, spec.evaluation.maxNewTokens], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _start(spec: Spec, events: Events, sleep: Callable[[float], None] = time.sleep) -> None:
    """Lets the training's Job begin. Nothing else does it: a failure fails the preparation."""
    if spec.cluster is None or spec.cluster.start is None:
        return
    path = spec.cluster.start.path
    for attempt in range(1, _START_TRIES + 1):
        try:
            Api().merge(path, spec.cluster.start.patch)
            return
        except ApiError as error:
            message = f"the training cannot be started: {error}"
            if error.status == 404:
                raise RefusedError(message, next="the run was deleted: start it again") from error
            if error.status in (401, 403, 422):
                raise RefusedError(message, next="the run's Role must allow to patch this object") from error
            if attempt == _START_TRIES:
                raise TrainerError(message) from error
            events.warning(f"{message}; try {attempt + 1} of {_START_TRIES}")
            sleep(2.0**attempt)

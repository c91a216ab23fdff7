"""Publishes a run on the Hugging Face Hub."""

import pathlib
from typing import Any

from ..events import Events
from ..layout import Layout
from ..spec import Spec


def run(spec: Spec, layout: Layout, events: Events, argument_path: pathlib.Path) -> dict[str, Any]:
    """Publishes the run as publish.yaml says; returns what the event `published` says.

    The token is HF_TOKEN. Can be repeated: files that are there already are not sent again, and nothing new is no
    commit. Raises RefusedError for a licence, a name or an access that does not allow it, TrainerError when the Hub
    does not answer.
    """
    from .upload import publish

    return publish(spec, layout, events, argument_path)

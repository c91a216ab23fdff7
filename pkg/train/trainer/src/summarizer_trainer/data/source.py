"""What the kinds of sources have in common."""

import pathlib
from typing import Protocol

from ..events import Events

PHASE = "data"


class Source(Protocol):
    """Where data comes from; methods raise TrainerError."""

    uri: str
    revision: str
    """The commit of a repository, "" for anything else; known after `check`."""
    license: str
    """As the source names it, "" when it does not; known after `check`."""

    def check(self) -> None:
        """Finds out cheaply, before anything large is fetched, whether the data is there and may be read."""

    def fetch(self, work: pathlib.Path, events: Events) -> dict[str, list[pathlib.Path]]:
        """The local files of each split, "" for what is not split; what is elsewhere is fetched below `work`."""

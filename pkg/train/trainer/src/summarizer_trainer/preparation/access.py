"""Asks, before anything large is fetched, whether the model and the data are there, may be read and can be used."""

import dataclasses
import pathlib
import tempfile
from typing import Any

from .. import data
from ..data.source import Source
from ..events import Events
from ..hub import Hub, Repo
from ..layout import Prepared
from ..spec import Spec
from . import model, weights

PHASE = "access"


@dataclasses.dataclass(frozen=True)
class Access:
    """What was found: `repo` is at its commit, or None for a model that is used where it lies."""

    repo: Repo | None
    sizes: dict[str, int]
    config: dict[str, Any]
    source: Source


def check(spec: Spec, hub: Hub, earlier: Prepared | None, events: Events) -> Access:
    """Checks the model and the data; raises TrainerError.

    The commits that an earlier attempt has found stay: a branch may have moved since.
    """
    events.phase(PHASE, f"{spec.model.id}, {spec.data.uri}")
    asked = spec.data
    if earlier and earlier.data_revision:
        asked = dataclasses.replace(asked, revision=earlier.data_revision)
    source = data.choose(asked, hub)
    if spec.model.id.startswith("/"):
        repo, sizes, config = _local(spec)
    else:
        repo, sizes, config = _remote(spec, hub, earlier.model_revision if earlier else "")
    model.check_architecture(spec.model.id, config)
    source.check()
    return Access(repo, sizes, config, source)


def _local(spec: Spec) -> tuple[Repo | None, dict[str, int], dict[str, Any]]:
    directory = pathlib.Path(spec.model.id)
    sizes = model.choose(spec.model.id, weights.files_of(directory), [])
    return None, sizes, model.read_config(spec.model.id, directory / "config.json")


def _remote(spec: Spec, hub: Hub, commit: str) -> tuple[Repo | None, dict[str, int], dict[str, Any]]:
    asked = Repo(spec.model.id, commit or spec.model.revision)
    volume = pathlib.Path(spec.volume)
    if _is_commit(asked.revision) and weights.is_complete(weights.directory(volume, asked)):
        # All is there: the Hub need not be.
        return asked, {}, model.read_config(asked.id, weights.directory(volume, asked) / "config.json")
    repo = Repo(asked.id, hub.commit(asked))
    sizes = model.choose(repo.id, hub.sizes(repo), spec.model.ignorePatterns)
    # Reading a file is the proof of access: the list of a gated repository is public.
    with tempfile.TemporaryDirectory() as work:
        config = model.read_config(repo.id, hub.download(repo, "config.json", pathlib.Path(work)))
    return repo, sizes, config


def _is_commit(revision: str) -> bool:
    return len(revision) == 40 and all(digit in "0123456789abcdef" for digit in revision)

"""Dialogues and summaries, from wherever they are to three files on the volume."""

from ..errors import RefusedError
from ..hub import Hub
from ..spec import Data
from . import remote, repository, samsum
from .local import LocalSource
from .source import Source


def choose(data: Data, hub: Hub) -> Source:
    """The source that data.uri names; raises RefusedError."""
    uri = data.uri
    if uri == samsum.NAME:
        return samsum.SamsumSource(data.revision, hub)
    if uri.startswith(repository.SCHEME):
        return repository.HubSource(uri, data.revision, hub)
    if uri.startswith(remote.SCHEMES):
        return remote.RemoteSource(uri)
    if uri.startswith("/"):
        return LocalSource(uri)
    raise RefusedError(
        f"data.uri is {uri!r}, which is no data that can be read",
        next=f"use {samsum.NAME}, an absolute path, {repository.SCHEME}ORG/NAME, or an address: gs://, s3:// or https://",
    )

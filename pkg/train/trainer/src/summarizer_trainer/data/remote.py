"""Data at an address: gs://, s3:// or https://, with the credentials of the environment."""

import pathlib
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ..errors import DiskFullError, RefusedError, TrainerError, chain, is_disk_full, one_line
from ..events import Events
from ..ticker import Ticker
from . import files, local
from .source import PHASE

T = TypeVar("T")

_CREDENTIALS = {
    "gs": "give the ServiceAccount access by Workload Identity, or GOOGLE_APPLICATION_CREDENTIALS by --env-from",
    "s3": "give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY by --env-from",
    "https": "the address must be readable without a password",
}
SCHEMES = tuple(f"{scheme}://" for scheme in _CREDENTIALS)
# Errors of the libraries behind the addresses that mean that there are no credentials, or not the right ones.
_DENIED = {"PermissionError", "NoCredentialsError", "Forbidden", "RefreshError", "DefaultCredentialsError"}
_NETWORK = {"ClientConnectionError", "ConnectionError", "TimeoutError", "EndpointConnectionError", "gaierror"}


class RemoteSource:
    """A file, an archive, or with gs:// and s3:// a folder, as Source describes it."""

    revision = ""
    license = ""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self._address = uri
        self._scheme = parts.scheme
        # Passwords and signatures stay out of messages and results.
        self.uri = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
        self._folder = False
        self._sizes: dict[str, int] = {}

    def check(self) -> None:
        """Lists what is at the address."""
        self._sizes = self._ask(self._list)
        if self._folder:
            files.by_split(self._sizes, self.uri)
        else:
            local.check_format(next(iter(self._sizes)), self.uri)

    def fetch(self, work: pathlib.Path, events: Events) -> dict[str, list[pathlib.Path]]:
        """Fetches the files that are read."""
        if not self._folder:
            (name,) = self._sizes
            self._download([name], work, events)
            return local.open_path(work / name, self.uri, work)
        groups = files.by_split(self._sizes, self.uri)
        self._download([name for names in groups.values() for name in names], work, events)
        return {split: [work / name for name in names] for split, names in groups.items()}

    def _list(self) -> dict[str, int]:
        """The size of each file in the folder, or of the one file, by its name."""
        system, path = self._open()
        self._folder = self._scheme != "https" and bool(system.isdir(path))
        if not self._folder:
            name = pathlib.PurePosixPath(urlsplit(path).path).name
            return {name: int(system.info(path).get("size") or 0)}
        below = system.find(path, maxdepth=local.DEPTH, detail=True)
        return {name.removeprefix(f"{path}/"): int(info.get("size") or 0) for name, info in below.items()}

    def _download(self, names: list[str], work: pathlib.Path, events: Events) -> None:
        system, path = self._open()
        total = sum(self._sizes[name] for name in names)

        def done() -> tuple[int, int]:
            return sum((work / name).stat().st_size for name in names if (work / name).exists()), total

        def get(name: str) -> None:
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            system.get_file(f"{path}/{name}" if self._folder else path, str(work / name))

        with Ticker(events, PHASE, "bytes", done):
            for name in names:
                self._ask(lambda name=name: get(name))  # type: ignore[misc]

    def _open(self) -> tuple[Any, str]:
        import fsspec.core

        system, path = fsspec.core.url_to_fs(self._address)
        return system, str(path).rstrip("/")

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except TrainerError:
            raise
        except Exception as error:
            # Each library behind an address has its own errors.
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> TrainerError:
        # fsspec says of every failure over HTTP that the file was not found: what is behind it says more.
        links = list(chain(error))
        names = {kind.__name__ for link in links for kind in type(link).__mro__}
        status = next((s for link in links if isinstance(s := getattr(link, "status", None), int)), 0)
        why = one_line(links[-1]).replace(self._address, self.uri)
        if is_disk_full(error):
            return DiskFullError(f"data.uri: the volume is full while {self.uri} is fetched", "make the volume larger")
        if status in (401, 403) or names & _DENIED:
            return RefusedError(f"data.uri: {self.uri} may not be read: {why}", _CREDENTIALS[self._scheme])
        if status == 404 or (not status and "FileNotFoundError" in names and not names & _NETWORK):
            return RefusedError(f"data.uri: there is nothing at {self.uri}", "check the spelling")
        return TrainerError(f"data.uri: {self.uri} cannot be read: {why}", "check DNS, proxies and the way out")

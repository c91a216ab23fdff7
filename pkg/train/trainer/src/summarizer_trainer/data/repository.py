"""Data in a dataset repository of the Hugging Face Hub. Its files are read; its code never is."""

import pathlib
import re
import tempfile

import yaml

from ..errors import RefusedError
from ..events import Events
from ..hub import Hub, Repo
from ..ticker import Ticker
from . import files
from .source import PHASE

SCHEME = "hf://datasets/"
_CARD = "README.md"


class HubSource:
    """hf://datasets/ORG/NAME, or below it a folder or file, as Source describes it."""

    def __init__(self, uri: str, revision: str, hub: Hub, license: str = "") -> None:
        self.uri = uri
        self.revision = ""
        self.license = license
        org, _, rest = uri.removeprefix(SCHEME).partition("/")
        name, _, self._inside = rest.partition("/")
        name, _, named = name.partition("@")
        if not org or not name:
            raise RefusedError(f"data.uri: {uri} names no repository", f"use {SCHEME}ORG/NAME")
        self._hub = hub
        self._repo = Repo(f"{org}/{name}", revision or named or "main", "dataset")
        self._sizes: dict[str, int] = {}
        self._groups: dict[str, list[str]] = {}

    def check(self) -> None:
        """Asks the Hub for the commit, the files, and whether one of them may be read."""
        self.revision = self._hub.commit(self._repo)
        self._repo = Repo(self._repo.id, self.revision, "dataset")
        self._sizes = self._hub.sizes(self._repo)
        self._groups = self._choose()
        first = next(iter(self._groups.values()))[0]
        self._hub.check_readable(self._repo, first)
        self.license = self.license or self._license()

    def fetch(self, work: pathlib.Path, events: Events) -> dict[str, list[pathlib.Path]]:
        """Fetches the files of the splits, and no others."""
        wanted = {path: self._sizes[path] for paths in self._groups.values() for path in paths}
        done = 0
        with Ticker(events, PHASE, "bytes", lambda: (done, sum(wanted.values()))):
            for path, size in wanted.items():
                self._hub.download(self._repo, path, work)
                done += size
        return {split: [work / path for path in paths] for split, paths in self._groups.items()}

    def _license(self) -> str:
        """The licence in the metadata of the repository's card, "" when it names none."""
        if _CARD not in self._sizes:
            return ""
        with tempfile.TemporaryDirectory() as work:
            text = self._hub.download(self._repo, _CARD, pathlib.Path(work)).read_text(
                encoding="utf-8", errors="replace"
            )
        head = re.match(r"---\s*\n(.*?)\n---\s*(\n|$)", text, flags=re.DOTALL)
        try:
            card = yaml.safe_load(head[1]) if head else None
        except yaml.YAMLError:
            return ""
        named = card.get("license") if isinstance(card, dict) else None
        return ", ".join(map(str, named)) if isinstance(named, list) else str(named or "")

    def _choose(self) -> dict[str, list[str]]:
        inside = self._inside.rstrip("/")
        if not inside:
            return files.by_split(self._sizes, self.uri)
        if inside in self._sizes:
            return {"": [inside]}
        below = [path for path in self._sizes if path.startswith(inside + "/")]
        if not below:
            folders = sorted({path.partition("/")[0] for path in self._sizes})
            raise RefusedError(f"{self.uri}: there is no {inside} in it; it has {', '.join(folders[:10])}")
        return files.by_split(below, self.uri)

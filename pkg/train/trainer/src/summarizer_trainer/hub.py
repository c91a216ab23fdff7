"""What the Hugging Face Hub is asked while preparing, and what its refusals mean."""

import os
import pathlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from .errors import DiskFullError, RefusedError, TrainerError, chain, is_disk_full, one_line
from .events import Events

T = TypeVar("T")

TRIES = 5
LONGEST_WAIT_SECONDS = 60.0
# Too many requests, and failures of the server or of something before it.
_PASSING = (408, 425, 429, 500, 502, 503, 504)


class NoRevisionError(RefusedError):
    """The repository is there, and does not have the revision."""


Explain = Callable[[Exception, "Repo"], TrainerError]


@dataclass(frozen=True)
class Repo:
    """A repository of the Hub at a revision; `kind` is model or dataset."""

    id: str
    revision: str
    kind: str = "model"

    @property
    def page(self) -> str:
        """Where a person accepts its licence, which no mirror can take."""
        return f"https://huggingface.co/{'datasets/' if self.kind == 'dataset' else ''}{self.id}"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Hub:
    """Asks the Hub, again after failures that may pass, with the token of the environment and no other."""

    def __init__(self, events: Events, sleep: Callable[[float], None] = time.sleep) -> None:
        # Imported late: what the library reads of the environment is set by then.
        from huggingface_hub import HfApi

        self._events = events
        self._sleep = sleep
        # False keeps it from looking for a token in the home directory.
        self.token: str | bool = os.environ.get("HF_TOKEN") or False
        self.endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
        self.api = HfApi(endpoint=self.endpoint, token=self.token)

    def commit(self, repo: Repo) -> str:
        """The commit that the revision is now; raises TrainerError."""
        return str(self.ask(repo, lambda: self._info(repo)).sha)

    def sizes(self, repo: Repo) -> dict[str, int]:
        """The size in bytes of each file, by path; raises TrainerError."""
        from huggingface_hub.hf_api import RepoFile

        def tree() -> dict[str, int]:
            entries = self.api.list_repo_tree(repo.id, recursive=True, revision=repo.revision, repo_type=repo.kind)
            return {entry.path: entry.size for entry in entries if isinstance(entry, RepoFile)}

        return self.ask(repo, tree)

    def download(self, repo: Repo, path: str, into: pathlib.Path) -> pathlib.Path:
        """Fetches one file to its path below the directory; raises TrainerError."""
        from huggingface_hub import hf_hub_download

        def once() -> str:
            return str(
                hf_hub_download(
                    repo.id,
                    path,
                    repo_type=repo.kind,
                    revision=repo.revision,
                    local_dir=into,
                    token=self.token,
                    endpoint=self.endpoint,
                )
            )

        return pathlib.Path(self.ask(repo, once))

    def check_readable(self, repo: Repo, path: str) -> None:
        """Raises RefusedError when this file may not be read: the list of a gated repository is public."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        url = hf_hub_url(repo.id, path, repo_type=repo.kind, revision=repo.revision, endpoint=self.endpoint)
        self.ask(repo, lambda: get_hf_file_metadata(url, token=self.token))

    def ask(self, repo: Repo, call: Callable[[], T], explain: Explain | None = None) -> T:
        """Calls until it succeeds; raises TrainerError for a failure that does not pass, in the words of `explain`."""
        attempt = 0
        while True:
            try:
                return call()
            except Exception as error:
                # Each kind is explained, also those of a later release of the library.
                attempt += 1
                if not _may_pass(error) or attempt >= TRIES:
                    raise (explain or explain_read)(error, repo) from error
                wait = _wait(error, attempt)
                what = status_of(error) or one_line(list(chain(error))[-1])
                self._events.warning(f"{repo}: {what}; try {attempt + 1} of {TRIES} in {wait:.0f} s")
                self._sleep(wait)

    def _info(self, repo: Repo) -> Any:
        ask = self.api.dataset_info if repo.kind == "dataset" else self.api.model_info
        return ask(repo.id, revision=repo.revision)


def explain_read(error: Exception, repo: Repo) -> TrainerError:
    """What an error of the Hub means and what to do; the token itself is never in it."""
    status = status_of(error)
    hub = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    secret = os.environ.get("SUMMARIZER_HF_SECRET")
    key = f"Secret {secret}" if secret else "the Secret (on a workstation the environment) that HF_TOKEN comes from"
    token = bool(os.environ.get("HF_TOKEN"))
    if is_disk_full(error):
        return DiskFullError(f"{repo}: the volume is full", next="make the volume larger")
    if _is(error, "HFValidationError", "HfUriError"):
        return RefusedError(f"{repo}: this is no id of the Hub: {one_line(error)}", "use ORG/NAME, or a directory")
    if _is(error, "GatedRepoError"):
        if token:
            who = f"the account whose token is in {key}"
            return RefusedError(f"{repo}: {status}, the licence was not accepted by {who}", f"accept it at {repo.page}")
        return RefusedError(
            f"{repo}: {status}, it is gated, and there is no HF_TOKEN",
            next=f"accept the licence at {repo.page}, then put a token of that account into {key}",
        )
    if _is(error, "RevisionNotFoundError"):
        return NoRevisionError(
            f"{repo}: there is no revision {repo.revision}", f"see {repo.page}/commits for its revisions"
        )
    if status == 401 and token:
        return RefusedError(
            f"{repo}: 401, the token in {key} is not valid, or there is no such repository",
            next="check the spelling, and the token at https://huggingface.co/settings/tokens",
        )
    if _is(error, "RepositoryNotFoundError") or status in (401, 403, 404):
        hidden = "the token may not see it" if token else f"it is private, which needs a token in {key}"
        return RefusedError(f"{repo}: {status}, there is none of this name on {hub}, or {hidden}", "check the spelling")
    if status == 429:
        more = "" if token else f"put a token into {key}: it has a higher limit"
        return TrainerError(f"{repo}: 429, {hub} answers no more requests from here for now", more)
    if status:
        return TrainerError(f"{repo}: {hub} answered {status}")
    last = one_line(list(chain(error))[-1])
    if _is_network(error):
        return TrainerError(
            f"{repo}: {hub} cannot be reached: {last}",
            next="check DNS, proxies and network policies for the way out, or set HF_ENDPOINT to a mirror",
        )
    return TrainerError(f"{repo}: {last}")


def _may_pass(error: Exception) -> bool:
    status = status_of(error)
    if status:
        return status in _PASSING
    if isinstance(error, TrainerError) or is_disk_full(error):
        return False
    # The library raises a bare OSError for a file that arrived with another size than it has.
    broken = isinstance(error, OSError) and error.errno is None
    return broken or _is_network(error) or _is(error, "XetDownloadError")


def status_of(error: Exception) -> int | None:
    """The HTTP status behind an error."""
    found = (getattr(getattr(link, "response", None), "status_code", None) for link in chain(error))
    return next((int(status) for status in found if status), None)


def _is(error: Exception, *names: str) -> bool:
    """Whether a class of the error has one of the names: the classes move between releases of the library."""
    return any(kind.__name__ in names for link in chain(error) for kind in type(link).__mro__)


def _is_network(error: Exception) -> bool:
    """Whether no answer came at all."""
    return any(isinstance(link, (ConnectionError, TimeoutError)) for link in chain(error)) or _is(
        error, "TransportError", "RequestException"
    )


def _wait(error: Exception, attempt: int) -> float:
    """Seconds to the next try: what the server asks for, or 1, 2, 4, ..."""
    for link in chain(error):
        asked = getattr(getattr(link, "response", None), "headers", {}).get("Retry-After", "")
        if asked.isdigit():
            return min(float(asked), LONGEST_WAIT_SECONDS)
    return float(min(2 ** (attempt - 1), LONGEST_WAIT_SECONDS))

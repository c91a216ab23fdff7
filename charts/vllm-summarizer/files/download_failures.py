"""What went wrong, in one sentence that says what to do."""

import errno
import os
import socket
import time

from download_progress import say

TRIES = int(os.environ.get("DOWNLOAD_TRIES", "5"))
LONGEST_WAIT_SECONDS = 60
# Worth another try: too many requests, and errors of the server or of something before it.
PASSING_STATUSES = (408, 425, 429, 500, 502, 503, 504)

# The volume is a claim's, or an emptyDir on the node's disk, which follows from the weights.
MORE_ROOM = "raise cache.persistence.size, or without a claim model.weightsGiB"


class Failure(Exception):
    """The download cannot go on; the text is for the user."""

    def __init__(self, text, permanent=True):
        super().__init__(text)
        # No restart mends it: somebody must change something.
        self.permanent = permanent


class Refused(Exception):
    """Files arrived broken; worth another try."""


def chain(error):
    """The error and what it was raised from: huggingface_hub wraps what the network said."""
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen


def status_of(error):
    """The HTTP status behind an error, or None."""
    for link in chain(error):
        status = getattr(getattr(link, "response", None), "status_code", None)
        if status:
            return status
    return None


def is_named(error, *names):
    """Whether a class of the error has one of the names; the classes move between releases."""
    return any(kind.__name__ in names for link in chain(error) for kind in type(link).__mro__)


def is_network(error):
    """Whether no answer came at all."""
    if any(isinstance(link, (ConnectionError, TimeoutError, socket.gaierror)) for link in chain(error)):
        return True
    return is_named(error, "TransportError", "RequestException")


def errno_of(error):
    return next((link.errno for link in chain(error) if isinstance(link, OSError) and link.errno), None)


def explain(error, repo, revision, secret):
    """A Failure for what the Hub or the machine said; the token itself is never in it."""
    hub = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    key = f"key {secret['secretKey']} of Secret {secret['secretName']}" if secret["secretName"] else "hfToken"
    token = bool(os.environ.get("HF_TOKEN"))
    status = status_of(error)
    if errno_of(error) in (errno.ENOSPC, errno.EDQUOT):
        why = f"no space left on the cache volume: {MORE_ROOM}"
    elif is_named(error, "GatedRepoError"):
        accept = f"accept the licence at https://huggingface.co/{repo}"
        why = f"{status} gated: {accept} with the account whose token is in {key}"
        if not token:
            why = f"{status} gated, and there is no token: {accept}, then put a token of that account into {key}"
    elif is_named(error, "RevisionNotFoundError"):
        why = f"404: there is no revision {revision}: name a commit, tag or branch of https://huggingface.co/{repo}"
    elif status == 401 and token:
        why = f"401: the token in {key} is not valid, or the repository does not exist: check both, for instance at https://huggingface.co/settings/tokens"
    elif is_named(error, "RepositoryNotFoundError") or status in (401, 403, 404):
        what = "the token cannot see it" if token else f"private, which needs a token in {key}"
        why = f"{status}: no such repository on {hub}, or {what}: check the spelling"
    elif status == 429:
        why = f"429: {hub} answers no more requests from here for now: put a token into {key}, which has a higher limit, or keep the model with cache.persistence.enabled"
    elif status:
        why = f"{hub} answered {status}: it is tried again when the container restarts"
    elif is_network(error):
        why = f"{hub} cannot be reached ({last_words(error)}): check DNS, proxies and network policies for the way out, or set model.hubEndpoint"
    else:
        why = last_words(error)
    return Failure(f"{repo}: {why}", permanent=not passing(error))


def last_words(error):
    """The innermost message, on one line and not too long."""
    text = next((str(link) for link in reversed(chain(error)) if str(link)), type(error).__name__)
    return " ".join(text.split())[:300]


def passing(error):
    """Whether another try may succeed."""
    status = status_of(error)
    if status:
        return status in PASSING_STATUSES
    # huggingface_hub raises a bare OSError for a file that arrived with a wrong size.
    broken = isinstance(error, OSError) and errno_of(error) is None
    return broken or isinstance(error, Refused) or is_network(error) or is_named(error, "XetDownloadError")


def wait_of(error, attempt):
    """Seconds until the next try: what the server asks for, or 1, 2, 4, ..."""
    for link in chain(error):
        asked = getattr(getattr(link, "response", None), "headers", {}).get("Retry-After", "")
        if asked.isdigit():
            return min(int(asked), LONGEST_WAIT_SECONDS)
    return min(2**attempt, LONGEST_WAIT_SECONDS)


def with_retries(call, repo, revision, secret, progress=lambda: 0):
    """Calls until it succeeds; tries that brought bytes do not count against the limit."""
    attempt, there = 0, progress()
    while True:
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - every kind is explained
            if progress() > there:
                attempt, there = 0, progress()
            attempt += 1
            if not passing(error) or attempt >= TRIES:
                raise explain(error, repo, revision, secret) from error
            wait = wait_of(error, attempt - 1)
            reason = status_of(error) or last_words(error)
            say(f"download: {repo}: {reason}; again in {wait} s (try {attempt + 1} of {TRIES})")
            time.sleep(wait)

"""What the Hub's refusals to write mean, and what to do."""

import os

from .. import hub
from ..errors import RefusedError, TrainerError, one_line

_TOKENS = "https://huggingface.co/settings/tokens"


def explain_write(error: Exception, repo: hub.Repo) -> TrainerError:
    """The words for a failure to write to a repository; the token itself is never in them."""
    status = hub.status_of(error)
    namespace = repo.id.partition("/")[0]
    secret = os.environ.get("SUMMARIZER_HF_SECRET")
    where = f"Secret {secret}" if secret else "the Secret (on a workstation the environment) that HF_TOKEN comes from"
    said = getattr(error, "server_message", None) or one_line(error)
    if status == 401:
        if os.environ.get("HF_TOKEN"):
            return RefusedError(f"{repo}: 401, the token in {where} is not valid", next=f"check it at {_TOKENS}")
        return RefusedError(
            f"{repo}: 401, there is no HF_TOKEN", next=f"make one that may write at {_TOKENS} and put it into {where}"
        )
    if status == 403:
        return RefusedError(
            f"{repo}: 403, the account whose token is in {where} may not write there: {said}",
            next=f"publish to a namespace of that account, or get a token that may write to {namespace}",
        )
    if status == 400:
        return RefusedError(f"{repo}: 400, the Hub does not take it: {said}")
    if status in (404, 409, 412):
        return TrainerError(f"{repo}: {status}, it changed meanwhile: {said}", next="publish again")
    failure = hub.explain_read(error, repo)
    if isinstance(failure, RefusedError):
        return failure
    return TrainerError(f"{failure}", next=failure.next or "publish again: files that are there are not sent again")

"""The two requests that a run may make of the Kubernetes API: patch its record, and start its own Job."""

import json
import os
import pathlib
import ssl
import urllib.error
import urllib.request
from typing import Any

from .errors import one_line

_CREDENTIALS = "/var/run/secrets/kubernetes.io/serviceaccount"
_TIMEOUT_SECONDS = 10.0


class ApiError(Exception):
    """The API could not be reached (`status` 0) or refused the request."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """The API server as a pod reaches it, with the token of its ServiceAccount.

    The environment variable SUMMARIZER_CREDENTIALS names another directory with `token` and `ca.crt`.
    """

    def __init__(self) -> None:
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        # An IPv6 address needs its brackets.
        self._server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self._in_cluster = bool(host)
        self._credentials = pathlib.Path(os.environ.get("SUMMARIZER_CREDENTIALS", _CREDENTIALS))

    def merge(self, path: str, patch: dict[str, Any]) -> None:
        """Applies a merge patch to the object at the path; raises ApiError."""
        if not self._in_cluster:
            raise ApiError("KUBERNETES_SERVICE_HOST is not set: this is no pod")
        try:
            # Read each time: the kubelet replaces the token before it expires.
            token = (self._credentials / "token").read_text(encoding="utf-8").strip()
            context = ssl.create_default_context(cafile=str(self._credentials / "ca.crt"))
        except (OSError, ssl.SSLError) as error:
            raise ApiError(f"no credentials in {self._credentials}: {one_line(error)}") from error
        request = urllib.request.Request(
            self._server + path,
            data=json.dumps(patch).encode(),
            method="PATCH",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/merge-patch+json"},
        )
        # The API server is never behind the proxy that the environment names for the way out.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            raise ApiError(f"PATCH {path}: {error.code} {_message(error)}", error.code) from error
        except OSError as error:
            raise ApiError(f"PATCH {path}: {self._server} cannot be reached: {one_line(error)}") from error


def _message(error: urllib.error.HTTPError) -> str:
    """What the API server said: a Status object, or anything else from what is before it."""
    try:
        text = error.read().decode(errors="replace")
    except OSError:
        text = ""
    try:
        return str(json.loads(text)["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return " ".join(text.split())[:300] or str(error.reason)

"""A server that speaks HTTPS and applies merge patches as the Kubernetes API does, with faults on request."""

import json
import pathlib
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


class ApiServer:
    """Serves objects by path on a free port of this machine; `credentials` is what a pod would have mounted."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.tokens_seen: list[str] = []
        self.patches: list[tuple[str, dict[str, Any]]] = []
        self.fail_next = 0
        self.too_large = 1 << 20
        self.credentials = directory / "credentials"
        self.credentials.mkdir(parents=True)
        key, certificate = directory / "key.pem", self.credentials / "ca.crt"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
            check=True,
            capture_output=True,
        )  # fmt: skip
        self.token("first")
        outer = self

        class Handler(_Handler):
            server_of: ClassVar[ApiServer] = outer

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def token(self, text: str) -> None:
        """Replaces the token, as the kubelet does before it expires."""
        (self.credentials / "token").write_text(text + "\n", encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """What a pod's environment says of this server."""
        return {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.port),
            "SUMMARIZER_CREDENTIALS": str(self.credentials),
        }

    def close(self) -> None:
        """Stops the server."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_of: ClassVar[ApiServer]

    def do_PATCH(self) -> None:
        server = self.server_of
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.tokens_seen.append(self.headers["Authorization"].removeprefix("Bearer "))
        if server.fail_next > 0:
            server.fail_next -= 1
            return self._answer(503, {"message": "etcd is away"})
        if self.path not in server.objects:
            return self._answer(404, {"message": f"{self.path} not found"})
        if self.headers["Content-Type"] != "application/merge-patch+json":
            return self._answer(415, {"message": "unsupported media type"})
        merged = _merge(server.objects[self.path], body)
        if len(json.dumps(merged)) > server.too_large:
            return self._answer(422, {"message": "Too long: must have at most 1048576 bytes"})
        server.objects[self.path] = merged
        server.patches.append((self.path, body))
        return self._answer(200, merged)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the test's output clean."""


def _merge(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged

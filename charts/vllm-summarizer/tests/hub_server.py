"""A small Hugging Face Hub for the tests of files/download.py, over real HTTP."""

import hashlib
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlparse


class Hub:
    """Repositories by id; what goes wrong is set by the test."""

    def __init__(self):
        self.repos = {}  # id -> {"sha", "files": {path: bytes}, "gated": bool}
        self.tokens = {"hf_right"}
        self.errors = []  # statuses that the next requests are answered with, or (status, headers)
        self.cut_after = {}  # path -> bytes after which the connection is closed, once
        self.bytes_per_second = 0
        self.gets = Counter()  # answers by path that reached their last bytes
        self.ranges = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                hub.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, repo, files, gated=False):
        files = {path: data if isinstance(data, bytes) else data.encode() for path, data in files.items()}
        sha = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.repos[repo] = {"sha": sha, "files": files, "gated": gated}
        return sha

    def answer(self, request):
        if self.errors:
            error = self.errors.pop(0)
            status, headers = error if isinstance(error, tuple) else (error, {})
            return self.reply(request, status, b"busy", headers)
        path = unquote(urlparse(request.path).path)
        if path.startswith("/api/models/"):
            return self.answer_api(request, path.removeprefix("/api/models/").split("/"))
        if "/resolve/" in path:
            return self.answer_file(request, path.strip("/"))
        return self.reply(request, 404, b"")

    def find(self, request, repo, revision):
        """The repository, or None after an error was sent."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token not in self.tokens:
            self.reply(request, 401, b'{"error":"Invalid credentials"}')
        elif repo not in self.repos:
            self.reply(request, 401 if not token else 404, b"", {"X-Error-Code": "RepoNotFound"})
        elif revision not in ("main", self.repos[repo]["sha"]):
            self.reply(request, 404, b"", {"X-Error-Code": "RevisionNotFound"})
        else:
            return self.repos[repo]
        return None

    def answer_api(self, request, parts):
        name, kind, revision = "/".join(parts[:2]), parts[2], "/".join(parts[3:])
        repo = self.find(request, name, revision)
        if not repo:
            return None
        if kind == "revision":
            body = {"id": name, "sha": repo["sha"], "private": False, "gated": repo["gated"], "siblings": []}
        else:
            body = [{"type": "file", "path": path, "size": len(data), "oid": "0"} for path, data in repo["files"].items()]
        return self.reply(request, 200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def answer_file(self, request, path):
        name, _, rest = path.partition("/resolve/")
        revision, _, file = rest.partition("/")
        repo = self.find(request, name, revision)
        if not repo:
            return None
        if repo["gated"]:
            token = request.headers.get("Authorization")
            if repo["gated"] == "refused" or not token:
                return self.reply(request, 403 if token else 401, b"", {"X-Error-Code": "GatedRepo"})
        if file not in repo["files"]:
            return self.reply(request, 404, b"", {"X-Error-Code": "EntryNotFound"})
        data = repo["files"][file]
        etag = hashlib.sha256(data).hexdigest()
        headers = {"X-Repo-Commit": repo["sha"], "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        wanted = request.headers.get("Range")
        status = 200
        if wanted and request.command == "GET":
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            self.ranges.append((file, start))
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            data, status = data[start:], 206
        return self.reply(request, status, data, headers, file)

    def reply(self, request, status, body, headers=None, file=None):
        request.send_response(status)
        for key, value in (headers or {}).items():
            request.send_header(key, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "HEAD":
            return
        cut = self.cut_after.pop(file, None) if file else None
        body = body if cut is None else body[:cut]
        try:
            self.write(request, body, file if cut is None else None)
        except OSError:
            return  # the client went away
        if cut is not None:
            request.close_connection = True
            request.connection.close()

    def write(self, request, body, counted):
        step = 1 << 16
        for start in range(0, len(body), step):
            if self.bytes_per_second:
                time.sleep(step / self.bytes_per_second)
            if counted and start + step >= len(body):
                # Before the last bytes: with them the client may be done and the test may look.
                self.gets[counted] += 1
            request.wfile.write(body[start : start + step])
            request.wfile.flush()

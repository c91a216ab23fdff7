"""The Hub stand-in of hack/localcluster as a process, with repositories that a test makes."""

import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.request
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ALLOWED, DENIED = "hf_testAllowed", "hf_testDenied"
_SOURCE = pathlib.Path(__file__).parents[4] / "hack" / "localcluster"


def build(directory: pathlib.Path) -> pathlib.Path:
    """Builds the program; it takes seconds when Go has built it before."""
    program = directory / "localcluster"
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=_SOURCE, check=True)
    return program


class HubServer:
    """A Hub with what `add` puts into it, which answers at `url`; ALLOWED may read what is gated and write to ann/."""

    def __init__(self, program: pathlib.Path, root: pathlib.Path) -> None:
        self.root = root
        (root / "models").mkdir(parents=True)
        self._gated: list[str] = []
        self._write_access()
        self.log = root / "log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [program, "hub", "serve", "--root", root, "--uploads", root / "uploads", "--listen", "127.0.0.1:0"],
                stderr=log,
            )
        end = time.monotonic() + 20
        while not (root / "url").exists():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.02)
        self.url = (root / "url").read_text().strip()

    def add(self, repo: str, files: pathlib.Path | dict[str, str], commit: str = COMMIT, gated: bool = False) -> None:
        """Adds a revision of ORG/NAME, or datasets/ORG/NAME, that its main points to."""
        home = self.root / (repo if repo.startswith("datasets/") else f"models/{repo}")
        (home / "refs").mkdir(parents=True, exist_ok=True)
        (home / "repo.json").write_text(json.dumps({"gated": gated}))
        if isinstance(files, dict):
            for path, text in files.items():
                (home / commit / path).parent.mkdir(parents=True, exist_ok=True)
                (home / commit / path).write_text(text)
        else:
            shutil.copytree(files, home / commit)
        (home / "refs" / "main").write_text(commit)
        if gated:
            self._gated.append(repo)
            self._write_access()

    def fault(self, **fields: Any) -> None:
        """Plays a fault, as hack/localcluster/hub/faults.go describes it."""
        request = urllib.request.Request(f"{self.url}/_faults", json.dumps(fields).encode(), method="POST")
        urllib.request.urlopen(request, timeout=5).close()

    def heal(self) -> None:
        """Ends all faults."""
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/_faults", method="DELETE"), timeout=5).close()

    def requests(self) -> list[str]:
        """What was asked, a line each."""
        return [line for line in self.log.read_text().splitlines() if "_faults" not in line]

    def close(self) -> None:
        """Ends the process."""
        self._process.terminate()
        self._process.wait()

    def _write_access(self) -> None:
        tokens = {
            ALLOWED: {"user": "ann", "repos": self._gated, "writes": ["ann"]},
            DENIED: {"user": "bob", "repos": []},
        }
        temporary = self.root / "access.new"
        temporary.write_text(json.dumps({"tokens": tokens}))
        os.replace(temporary, self.root / "access.json")

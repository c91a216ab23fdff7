"""The layer of Python packages that the serving image lacks: where it lies on the volume, and whether it is needed."""

import contextlib
import hashlib
import importlib.metadata
import importlib.resources
import json
import os
import pathlib
import platform
import re
import sys
from dataclasses import dataclass

MARKER = "complete.json"


@dataclass(frozen=True)
class Layer:
    """layer.lock: exact versions with the hashes of their files."""

    text: str

    @property
    def hash(self) -> str:
        """Names the layer: the first 12 hex digits of the SHA-256 of the lock file."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    @property
    def packages(self) -> dict[str, str]:
        """The locked version of each package."""
        return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", self.text, flags=re.MULTILINE))

    def missing(self) -> list[str]:
        """The packages that this Python does not find at the locked version."""
        return [name for name, version in self.packages.items() if _installed(name) != version]

    def directory(self, volume: pathlib.Path) -> pathlib.Path:
        """Where the layer is on a volume."""
        return volume / "env" / self.hash


def layer() -> Layer | None:
    """The lock file that belongs to this program; None when it was installed as a package, with its dependencies."""
    packed = importlib.resources.files(__package__) / "layer.lock"
    # In the source tree it lies beside src/.
    beside = pathlib.Path(__file__).parents[2] / "layer.lock"
    for place in (packed, beside):
        with contextlib.suppress(OSError):
            return Layer(place.read_text(encoding="utf-8"))
    return None


def kind() -> dict[str, str]:
    """What compiled packages depend on besides their version."""
    return {"python": ".".join(platform.python_version_tuple()[:2]), "machine": platform.machine()}


def is_complete(directory: pathlib.Path) -> bool:
    """Whether a layer was installed to its end, and for this Python."""
    try:
        return bool(json.loads((directory / MARKER).read_text(encoding="utf-8"))["for"] == kind())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def activate(volume: pathlib.Path) -> pathlib.Path | None:
    """Puts the volume's layer before the image's packages, here and for children; returns it when it is there."""
    found = layer()
    if found is None:
        return None
    directory = found.directory(volume)
    if not is_complete(directory):
        return None
    # A layer that nobody has used for a day makes way for another.
    with contextlib.suppress(OSError):
        os.utime(directory / MARKER)
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
        importlib.invalidate_caches()
        inherited = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([str(directory), inherited] if inherited else [str(directory)])
    return directory


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""

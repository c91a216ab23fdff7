"""Where things lie on the volume, and what the preparation found out."""

import dataclasses
import json
import os
import pathlib
from typing import Any

from .errors import TrainerError
from .spec import Spec


class Layout:
    """The paths of one run, as FORMATS.md lists them."""

    def __init__(self, spec: Spec) -> None:
        self.volume = pathlib.Path(spec.volume)
        self.run = self.volume / "runs" / spec.name
        self.prepared = self.run / "prepared.json"
        self.checkpoints = self.run / "checkpoints"
        self.adapter = self.run / "adapter"
        self.predictions = self.run / "predictions"
        self.tensorboard = self.run / "tensorboard"
        self.wandb = self.run / "wandb"
        self.events = self.run / "events.jsonl"
        self.result = self.run / "result.json"


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What `prepare` leaves for the later stages; directories are absolute."""

    model: str
    model_revision: str
    data: str
    data_revision: str
    data_license: str
    data_sha256: str
    dropped: int
    asked: str = ""
    """Identifies what was asked of the preparation: another specification is prepared anew."""

    def save(self, path: pathlib.Path) -> None:
        """Replaces prepared.json."""
        write_json(path, dataclasses.asdict(self))

    @classmethod
    def load(cls, path: pathlib.Path) -> "Prepared":
        """Reads prepared.json; raises TrainerError when there is none."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise TrainerError(f"{path} cannot be read: {error}", next="run the stage `prepare` first") from error


def write_json(path: pathlib.Path, value: Any) -> None:
    """Replaces a file in one step: a reader, or a later attempt, never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=2, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

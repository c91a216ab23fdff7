"""This program's training as a run starts it: the same module, with its own environment."""

import json
import pathlib
import sys
from typing import Any

from . import limits


def read(output: str) -> dict[str, Any]:
    """What the events of a training of N steps with logSteps N say of its steps after the first."""
    steps = [event for event in map(_event, output.splitlines()) if event.get("event") == "step"]
    return {
        "tokensPerSecond": steps[-1]["tokensPerSecond"],
        "memoryGiB": steps[-1]["memoryGiB"],
        "losses": [step["loss"] for step in steps],
    }


def _event(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    limits.apply()
    from summarizer_trainer.training.__main__ import main

    sys.exit(main(str(pathlib.Path(sys.argv[1]))))

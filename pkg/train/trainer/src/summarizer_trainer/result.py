"""The result of a run: result.json, and its short form for the termination message."""

import dataclasses
import hashlib
import importlib.metadata
import importlib.resources
import json
import pathlib
import platform
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import Any

from . import adapter
from .layout import Layout, Prepared
from .spec import Spec

VERSION = 1
SHORT_BYTES = 4096
"""What Kubernetes keeps of a termination message."""

_PACKAGES = (
    "torch", "transformers", "trl", "peft", "accelerate", "datasets", "bitsandbytes", "vllm", "rouge-score", "wandb",
)  # fmt: skip
_TRAINING = (
    "steps", "epochs", "tokens", "seconds", "tokensPerSecond", "peakMemoryGiB", "device", "firstLoss", "finalLoss",
    "evalLoss", "resumed", "seed",
)  # fmt: skip


def build(
    spec: Spec, layout: Layout, prepared: Prepared, training: dict[str, Any], evaluation: dict[str, Any] | None
) -> dict[str, Any]:
    """Assembles result.json as FORMATS.md describes it.

    `training` has the fields of the result's `training` and, when a tracker ran, `wandb`; `evaluation` is None while
    judging is to be done, or when it was not asked for. Raises RefusedError when the adapter cannot be read.
    """
    facts = adapter.read(layout.adapter)
    data = pathlib.Path(prepared.data)
    result: dict[str, Any] = {
        "version": VERSION,
        "run": spec.name,
        "status": "succeeded" if evaluation is not None or spec.evaluation.engine == "none" else "trained",
        "model": {"id": spec.model.id, "revision": prepared.model_revision},
        "adapter": {
            "path": str(layout.adapter.relative_to(layout.volume)),
            "sha256": facts.sha256,
            "rank": facts.rank,
            "bytes": facts.bytes,
        },
        "data": {
            "uri": spec.data.uri,
            "revision": prepared.data_revision,
            "license": prepared.data_license,
            "sha256": prepared.data_sha256,
            **{split: _count(data / f"{split}.jsonl") for split in ("train", "validation", "test")},
            "dropped": prepared.dropped,
        },
        "code": code_sha256(),
        "versions": versions(),
        "hyperparameters": {**dataclasses.asdict(spec.lora), **dataclasses.asdict(spec.training)},
        "training": {key: training[key] for key in _TRAINING if training.get(key) is not None},
    }
    if evaluation is not None:
        result["evaluation"] = evaluation
    if training.get("wandb"):
        result["wandb"] = training["wandb"]
    return result


def short(result: dict[str, Any]) -> dict[str, Any]:
    """The form that fits SHORT_BYTES: without versions and hyper-parameters, long texts cut where it must be."""
    document = {key: value for key, value in result.items() if key not in ("versions", "hyperparameters")}
    for longest in (400, 200, 100, 50):
        cut: dict[str, Any] = _cut(document, longest)
        if len(json.dumps(cut, ensure_ascii=False).encode()) <= SHORT_BYTES:
            return cut
    raise ValueError(f"the result of run {result['run']} does not fit {SHORT_BYTES} bytes")


def versions() -> dict[str, str]:
    """Versions of Python and of those packages that decide what a run comes to, as far as they are there."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def code_sha256(package: Traversable | None = None) -> str:
    """Identifies this program by the names and contents of its files, in a folder or a zip, by FORMATS.md's rule."""
    digest = hashlib.sha256()
    sources = _sources(package or importlib.resources.files("summarizer_trainer"), ())
    for parts, file in sorted(sources, key=lambda source: source[0]):
        digest.update(f"{'/'.join(parts)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _sources(folder: Traversable, parents: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    for entry in folder.iterdir():
        parts = (*parents, entry.name)
        if entry.is_dir():
            yield from _sources(entry, parts)
        elif entry.name.endswith(".py"):
            yield parts, entry


def _count(path: pathlib.Path) -> int:
    if not path.exists():
        return 0
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, dict):
        return {key: _cut(item, longest) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item, longest) for item in value]
    if isinstance(value, str) and len(value) > longest:
        return value[: longest - 3] + "..."
    return value

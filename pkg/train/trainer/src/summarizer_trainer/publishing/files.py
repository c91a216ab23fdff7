"""What a published repository holds."""

import json
import pathlib
import shutil
from typing import TypeAlias

from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from .. import adapter
from ..layout import Layout, Prepared, write_json
from . import card, licences

_TOKENIZER = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
_WHOLE_MODEL = ("config.json", "generation_config.json", "model.safetensors.index.json")

Operation: TypeAlias = CommitOperationAdd | CommitOperationDelete


def operations(subject: card.Subject, layout: Layout, prepared: Prepared, there: list[str]) -> list[Operation]:
    """The commit that makes a repository with the files `there` hold the run's adapter, or the merged model.

    What the other kind of repository left is deleted: a loader that finds an adapter's configuration beside a whole
    model takes it for an adapter.
    """
    model = pathlib.Path(prepared.model)
    if subject.merged:
        content = {path.name: path for path in sorted(merged_directory(layout, prepared).iterdir()) if path.is_file()}
        content.pop(_MARK, None)
        adds = [CommitOperationAdd(name, str(path)) for name, path in content.items()]
        stale = [name for name in there if name in (adapter.CONFIG, adapter.WEIGHTS)]
    else:
        adds = [
            CommitOperationAdd(adapter.WEIGHTS, str(layout.adapter / adapter.WEIGHTS)),
            CommitOperationAdd(adapter.CONFIG, _config(subject, layout)),
            *(CommitOperationAdd(name, str(model / name)) for name in _TOKENIZER if (model / name).exists()),
        ]
        stale = [name for name in there if name in _WHOLE_MODEL or _is_weights(name)]
    adds += [CommitOperationAdd(path.name, str(path)) for path in licences.files(model)]
    adds.append(CommitOperationAdd("README.md", card.render(subject).encode()))
    return [*adds, *(CommitOperationDelete(name) for name in stale)]


MERGED = "merged"
"""Where the merged model is made, in the run's directory; it goes when it is published."""
_MARK = ".made-from.json"


def merged_directory(layout: Layout, prepared: Prepared) -> pathlib.Path:
    """The merged model on the volume, made when it is not there yet."""
    target = layout.run / MERGED
    made_from = {"adapter": adapter.read(layout.adapter).sha256, "model": [prepared.model, prepared.model_revision]}
    try:
        if json.loads((target / _MARK).read_text(encoding="utf-8")) == made_from:
            return target
    except (OSError, ValueError):
        pass
    shutil.rmtree(target, ignore_errors=True)
    adapter.merge(layout.adapter, pathlib.Path(prepared.model), target)
    write_json(target / _MARK, made_from)
    return target


def _is_weights(name: str) -> bool:
    return name.startswith("model") and name.endswith(".safetensors")


def _config(subject: card.Subject, layout: Layout) -> bytes:
    """The adapter's configuration with the base's name on the Hub: its directory on the volume is nowhere else."""
    config = adapter.config(layout.adapter)
    if not subject.spec.model.id.startswith("/"):
        config["base_model_name_or_path"] = subject.spec.model.id
        config["revision"] = subject.result["model"]["revision"] or None
    return (json.dumps(config, indent=2, sort_keys=True) + "\n").encode()

"""The steps of the preparation after the packages are there: access, weights, data."""

import pathlib

from ..data import prepare, store
from ..errors import TrainerError
from ..events import Events
from ..hub import Hub
from ..layout import Layout, Prepared
from ..spec import Spec
from . import access, model, weights


def run(spec: Spec, layout: Layout, asked: str, events: Events) -> Prepared:
    """Checks the access, and brings weights and data to the volume; raises TrainerError."""
    earlier = _earlier(layout, asked)
    if earlier is not None and _is_whole(earlier):
        events.phase("access", "model and data are there")
        index = store.load(pathlib.Path(earlier.data))
        assert index is not None
        events.emit("data", splits=index["splits"])
        return earlier
    hub = Hub(events)
    found = access.check(spec, hub, earlier, events)
    directory = pathlib.Path(spec.model.id)
    if found.repo is not None:
        directory = weights.fetch(hub, found.repo, found.sizes, layout.volume, events)
    identity = f"{spec.model.id}@{found.repo.revision}" if found.repo else f"{directory} {_tokenizer_of(directory)}"
    base = prepare.Base(directory, identity, model.context_length(found.config))
    data, index = prepare.run(spec, found.source, base, events)
    return Prepared(
        model=str(directory),
        model_revision=found.repo.revision if found.repo else "",
        data=str(data),
        data_revision=index["revision"],
        data_license=index["license"],
        data_sha256=index["sha256"],
        dropped=prepare.dropped(index),
        asked=asked,
    )


def _earlier(layout: Layout, asked: str) -> Prepared | None:
    """What an earlier attempt has prepared for the same specification."""
    try:
        prepared = Prepared.load(layout.prepared)
    except TrainerError:
        return None
    return prepared if prepared.asked == asked else None


def _is_whole(prepared: Prepared) -> bool:
    model = pathlib.Path(prepared.model)
    model_there = weights.is_complete(model) if prepared.model_revision else model.is_dir()
    return model_there and store.load(pathlib.Path(prepared.data)) is not None


def _tokenizer_of(directory: pathlib.Path) -> str:
    """Identifies the files that decide how text becomes tokens."""
    names = ("config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "chat_template.jinja")
    return " ".join(store.file_sha256(directory / name) for name in names if (directory / name).is_file())

"""Puts a run's adapter, or the model merged with it, on the Hugging Face Hub with its card."""

import json
import pathlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from huggingface_hub import CommitOperationAdd

from .. import adapter, hub, spec
from ..errors import RefusedError, TrainerError
from ..events import Events
from ..layout import Layout, Prepared
from . import card, files, licences
from .access import explain_write

T = TypeVar("T")


@dataclass
class Publish:
    """publish.yaml: what is put where."""

    repo: str
    public: bool = False
    merged: bool = False
    revision: str = "main"
    """The branch that gets the commit; it is made when it is not there."""
    message: str = ""
    """Of the commit; "" writes one."""
    acceptDataLicence: bool = False
    """Somebody who may says that weights trained on restricted data can be public."""


def publish(run: spec.Spec, layout: Layout, events: Events, argument_path: pathlib.Path) -> dict[str, Any]:
    """See `run` of the package."""
    request = cast(Publish, spec.build(Publish, spec.read_yaml(argument_path), argument_path.name))
    if request.repo.count("/") != 1:
        raise RefusedError(f"repo is {request.repo!r}: write it as NAMESPACE/NAME")
    prepared = Prepared.load(layout.prepared)
    result = _result(layout)
    events.phase("check", "adapter and licences")
    licences.check_data(prepared.data_license, request.public, request.acceptDataLicence)
    client = hub.Hub(events)
    licence = _base_licence(client, run, prepared)
    licences.check_name(request.repo, run.model.id, licence.name)
    _check_adapter(layout, prepared, result)

    target = _Target(client, request)
    target.make()
    if request.merged:
        events.phase("publish", "merging the adapter into its base")
    subject = card.Subject(request.repo, run, result, licence, request.merged)
    there = target.listed()
    events.phase("publish", _described(files.operations(subject, layout, prepared, there), request.repo))
    # Built anew for every try: a commit changes the operations that it is given.
    published = target.commit(
        lambda: files.operations(subject, layout, prepared, there),
        request.message or f"{'Model' if request.merged else 'Adapter'} of run {run.name}",
    )
    shutil.rmtree(layout.run / files.MERGED, ignore_errors=True)
    events.emit("published", **published)
    # A merged model does not take the place of the adapter, which is what is promoted.
    events.keep("merged.json" if published["merged"] else "published.json", published)
    return published


class _Target:
    """The repository that is written to."""

    def __init__(self, client: hub.Hub, request: Publish) -> None:
        self._client = client
        self._request = request
        self._repo = hub.Repo(request.repo, request.revision)

    def make(self) -> None:
        """Makes repository and branch; raises RefusedError rather than to show what is private to everybody."""
        repo, public, api = self._request.repo, self._request.public, self._client.api
        self._ask(lambda: api.create_repo(repo, private=not public, exist_ok=True))
        private = bool(self._ask(lambda: api.repo_info(repo)).private)
        if not private and not public:
            raise RefusedError(
                f"{repo} is there already and public, and this was not to be shown to everybody",
                next="publish to another repository, or with public: true, or make that one private on the Hub",
            )
        if private and public:
            self._ask(lambda: api.update_repo_settings(repo, private=False))
        if self._request.revision != "main":
            self._ask(lambda: api.create_branch(repo, branch=self._request.revision, exist_ok=True))

    def listed(self) -> list[str]:
        """What the branch holds."""
        return self._ask(
            lambda: list(self._client.api.list_repo_files(self._request.repo, revision=self._request.revision))
        )

    def commit(self, operations: Callable[[], list[files.Operation]], message: str) -> dict[str, Any]:
        """Sends what is not there yet; without anything new the newest commit stays what it is."""
        request, api = self._request, self._client.api
        commit = self._ask(
            lambda: api.create_commit(request.repo, operations(), commit_message=message, revision=request.revision)
        )
        return {
            "repo": request.repo,
            "revision": commit.oid,
            "url": commit.commit_url,
            "private": not request.public,
            "merged": request.merged,
        }

    def _ask(self, call: Callable[[], T]) -> T:
        return self._client.ask(self._repo, call, explain_write)


def _result(layout: Layout) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], json.loads(layout.result.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise RefusedError(f"the run has no result to publish: {error}", next="wait until it has succeeded") from error


def _base_licence(client: hub.Hub, run: spec.Spec, prepared: Prepared) -> licences.Licence:
    """The licence of the base: in the card beside its weights, or else in the one on the Hub."""
    beside = licences.of_directory(pathlib.Path(prepared.model))
    if beside.license or run.model.id.startswith("/"):
        return beside
    base = hub.Repo(run.model.id, prepared.model_revision or run.model.revision)
    with tempfile.TemporaryDirectory() as directory:
        try:
            client.download(base, "README.md", pathlib.Path(directory))
        except TrainerError:
            # A base that went from the Hub does not keep the adapter from it: the card then names no licence of it.
            return beside
        return licences.of_directory(pathlib.Path(directory))


def _check_adapter(layout: Layout, prepared: Prepared, result: dict[str, Any]) -> None:
    found = adapter.check(layout.adapter, pathlib.Path(prepared.model))
    if found.sha256 != result["adapter"]["sha256"]:
        raise RefusedError(
            f"the adapter in {layout.adapter} is not the one that was judged: its SHA-256 is {found.sha256}, "
            f"and the result has {result['adapter']['sha256']}",
            next="wait until the run that changes it has ended",
        )


def _described(operations: list[files.Operation], repo: str) -> str:
    adds = [operation for operation in operations if isinstance(operation, CommitOperationAdd)]
    size = sum(operation.upload_info.size for operation in adds)
    return f"{len(adds)} files, {size / 1e6:.1f} MB, to {repo}"

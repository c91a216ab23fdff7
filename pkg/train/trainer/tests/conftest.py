"""What the tests share: tiny models and data, made once a session, and run.yaml files that use them."""

import os
import pathlib
import shutil
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import hubserver
import pytest
import yaml

import tiny
from summarizer_trainer import spec as specs
from summarizer_trainer.events import Events


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Directory of a random model in the shape of Llama 3.2."""
    return tiny.llama(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="session")
def tiny_mistral(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Directory of a random model in the shape of Mistral 7B v0.3."""
    return tiny.mistral(tmp_path_factory.mktemp("models") / "tiny-mistral")


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Directory with train.jsonl (48 rows), validation.jsonl (8) and test.jsonl (8); its summaries can be learned."""
    directory = tmp_path_factory.mktemp("data")
    tiny.write_jsonl(directory / "train.jsonl", tiny.rows(48))
    tiny.write_jsonl(directory / "validation.jsonl", tiny.rows(8, first=100))
    tiny.write_jsonl(directory / "test.jsonl", tiny.rows(8, first=200))
    return directory


@pytest.fixture
def write_run(tmp_path: pathlib.Path) -> Callable[..., pathlib.Path]:
    """Writes a run.yaml for a model and data, with the volume below the test's directory; other sections by name."""

    def write(model: pathlib.Path | str, data: pathlib.Path | str, /, **sections: Any) -> pathlib.Path:
        document: dict[str, Any] = {
            "version": specs.VERSION,
            "name": "tiny",
            "model": {"id": str(model)},
            "data": {"uri": str(data)},
            "training": {"device": "cpu"},
            "tracking": {"wandb": {"mode": "off"}},
            "volume": str(tmp_path / "volume"),
        }
        for name, section in sections.items():
            merged = {**document.get(name, {}), **section} if isinstance(section, dict) else section
            document[name] = merged
        path = tmp_path / "run.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def hub_program(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The program that plays the Hub, built once a session."""
    if program := os.environ.get("SUMMARIZER_LOCALCLUSTER"):
        return pathlib.Path(program)
    if shutil.which("go") is None:
        pytest.skip("go is not installed: the Hub stand-in cannot be built")
    return hubserver.build(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def hub(
    hub_program: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[hubserver.HubServer]:
    """A Hub of the test's own, which HF_ENDPOINT names."""
    server = hubserver.HubServer(hub_program, tmp_path / "hub")
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield server
    server.close()


class Heard:
    """Events that were emitted, for a test to look at."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self.kept: dict[str, Any] = {}
        self.events = Events()
        self.events.attach(self.all.append, self.kept.__setitem__)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind, in order."""
        return [event for event in self.all if event["event"] == kind]

    def warnings(self) -> str:
        """The text of all warnings."""
        return "\n".join(event["message"] for event in self.of("warning"))


@pytest.fixture
def heard() -> Heard:
    """An emitter of events that remembers them."""
    return Heard()

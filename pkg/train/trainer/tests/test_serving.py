"""Real vLLM serves what was made here: the adapter as the chart starts it, asked by the probe."""

import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
import yaml
from conftest import Heard

import judged
from summarizer_trainer import probe, served
from summarizer_trainer.errors import RefusedError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_llama: pathlib.Path, tiny_data: pathlib.Path) -> judged.Run:
    run = judged.trained_run(tmp_path_factory.mktemp("run"), tiny_llama, tiny_data)
    # Strong enough to change every one of a random model's answers.
    judged.make_adapter(tiny_llama, run[1].adapter, lora_alpha=256)
    return run


@pytest.fixture(scope="module")
def url(run: judged.Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A vLLM server with the base as `base`, and the adapter as `cookies`."""
    _, layout, prepared = run
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", prepared.model]
    command += ["--served-model-name", "base", "--enable-lora", "--max-lora-rank", "8"]
    command += ["--lora-modules", f"cookies={layout.adapter}", "--max-model-len", "512", "--enforce-eager"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    log = tmp_path_factory.mktemp("vllm") / "log"
    with log.open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 400
    while not _healthy(address):
        assert process.poll() is None and time.monotonic() < end, log.read_text()[-4000:]
        time.sleep(0.5)
    yield address
    process.terminate()
    process.wait(60)


def _healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5):
            return True
    except OSError:
        return False


def ask(run: judged.Run, heard: Heard, directory: pathlib.Path, **request: object) -> None:
    path = directory / "probe.yaml"
    path.write_text(yaml.safe_dump({"adapter": "cookies", "base": "base", "examples": 8, **request}))
    probe.run(run[0], run[1], heard.events, path)


def test_adapter_and_base_answer_differently(run: judged.Run, url: str, heard: Heard, tmp_path: pathlib.Path) -> None:
    ask(run, heard, tmp_path, url=url)
    (found,) = heard.of("probe")
    assert found["different"] == found["examples"] == 8
    assert heard.of("progress")[-1]["done"] == 16


def test_the_base_answers_as_itself(run: judged.Run, url: str, heard: Heard, tmp_path: pathlib.Path) -> None:
    with pytest.raises(RefusedError, match="just as base does"):
        ask(run, heard, tmp_path, url=url, adapter="base")


def test_an_adapter_that_is_not_loaded(
    run: judged.Run, url: str, heard: Heard, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.Server.await_models, "__defaults__", (0.1,))
    with pytest.raises(RefusedError, match="does not serve muffins: it lists base, cookies"):
        ask(run, heard, tmp_path, url=url, adapter="muffins")


def test_a_prompt_that_is_too_long_is_refused_at_once(
    run: judged.Run, url: str, heard: Heard, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run[0].prompt, "instruction", "word " * 600)
    with pytest.raises(RefusedError, match=r"refuses to answer as .*: 400 .*maximum context length"):
        ask(run, heard, tmp_path, url=url)

"""Judging in a process of its own: what it says arrives, and it ends when it is told to."""

import json
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Heard

import judged
from summarizer_trainer import adapter
from summarizer_trainer.errors import InterruptedRunError, RefusedError
from summarizer_trainer.evaluation import child

EVALUATION = {"engine": "transformers", "maxNewTokens": 8, "batchSize": 4, "bootstrapSamples": 100}
Made = Callable[..., tuple[pathlib.Path, judged.Run]]


@pytest.fixture
def made(
    write_run: Callable[..., pathlib.Path], tmp_path: pathlib.Path, tiny_llama: pathlib.Path, tiny_data: pathlib.Path
) -> Made:
    """A run.yaml, and the trained run that it is of."""

    def make(**evaluation: Any) -> tuple[pathlib.Path, judged.Run]:
        path = write_run("org/tiny", tiny_data, evaluation={**EVALUATION, **evaluation})
        return path, judged.trained_run(tmp_path / "volume", tiny_llama, tiny_data)

    return make


def test_events_and_scores_of_the_child_are_told(made: Made, heard: Heard) -> None:
    path, (_, layout, _) = made()
    result = child.judge(path, layout, heard.events)
    assert result == json.loads((layout.run / "evaluation.json").read_text())
    assert [event["done"] for event in heard.of("progress")] == [4, 8, 12, 16]
    assert heard.of("phase")[0]["phase"] == "check"
    assert heard.kept["scores.json"]["split"] == "test"


def test_refusal_of_the_child_is_raised(made: Made, heard: Heard) -> None:
    path, (_, layout, _) = made()
    config = layout.adapter / adapter.CONFIG
    config.write_text(json.dumps({**json.loads(config.read_text()), "use_dora": True}))
    with pytest.raises(RefusedError, match="DoRA") as error:
        child.judge(path, layout, heard.events)
    assert "plain LoRA" in error.value.next
    assert not heard.of("error"), "the caller tells it"


def interrupted(path: pathlib.Path, when: Callable[[dict[str, Any]], bool]) -> tuple[int, float]:
    """Sends SIGTERM at an event; returns the exit code, and how many seconds the end took."""
    command = [sys.executable, "-m", "summarizer_trainer.evaluation", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{") and when(json.loads(line)):
                process.send_signal(signal.SIGTERM)
                break
        start = time.monotonic()
        process.stdout.read()
        return process.wait(60), time.monotonic() - start


@pytest.mark.slow
def test_vllm_serves_the_adapter_and_stops_when_it_is_told(made: Made, heard: Heard) -> None:
    # Long answers: the base is still at them when the signal comes.
    path, (_, layout, _) = made(engine="vllm", maxNewTokens=512, batchSize=1)
    code, seconds = interrupted(path, lambda event: event.get("detail") == "base, 8 examples")
    assert code == InterruptedRunError.exit_code
    assert seconds < 10
    assert [file.name for file in layout.predictions.glob("*.jsonl")] == ["tuned.jsonl"]
    tuned = (layout.predictions / "tuned.jsonl").read_bytes()

    result = child.judge(path, layout, heard.events)
    details = [event["detail"] for event in heard.of("phase")]
    assert details[1:] == ["loading vllm 0.32.0", "base, 8 examples"]
    assert result["served"] is True and result["engine"] == "vllm 0.32.0"
    assert (layout.predictions / "tuned.jsonl").read_bytes() == tuned
    assert heard.of("progress")[-1]["done"] == heard.of("progress")[-1]["total"] == 16

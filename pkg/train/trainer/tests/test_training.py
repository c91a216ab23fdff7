"""The real program trains tiny models on CPU: masks, loss, checkpoints, interruptions and refusals."""

import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

import tiny
from summarizer_trainer import adapter, spec, tokens
from summarizer_trainer.examples import read
from summarizer_trainer.training import checkpoints, dataset, loss
from summarizer_trainer.training.batches import ShuffledSteps

Write = Callable[..., pathlib.Path]
STEPS = 12


def program(run: pathlib.Path, *before: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end."""
    return subprocess.run(
        [sys.executable, "-m", "summarizer_trainer", *before, str(run)],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        check=False,
    )


def events(done: subprocess.CompletedProcess[str] | str, kind: str) -> list[dict[str, Any]]:
    """The events of one kind that were printed."""
    text = done if isinstance(done, str) else done.stdout
    found = [json.loads(line) for line in text.splitlines() if line.startswith('{"event"')]
    return [event for event in found if event["event"] == kind]


def settings(**more: Any) -> dict[str, Any]:
    """`training` of a short run that logs each step."""
    return {
        "device": "cpu", "batchSize": 4, "effectiveBatchSize": 8, "maxSteps": STEPS, "learningRate": 0.01,
        "logSteps": 1, "saveSteps": 3, "evalSteps": 6, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def unbroken(
    tiny_llama: pathlib.Path, tiny_data: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pathlib.Path, subprocess.CompletedProcess[str]]:
    """A run that nothing stopped: its volume, and what it printed."""
    directory = tmp_path_factory.mktemp("unbroken")
    run = directory / "run.yaml"
    document = {
        "version": 1, "name": "tiny", "model": {"id": str(tiny_llama)}, "data": {"uri": str(tiny_data)},
        "training": settings(), "evaluation": {"engine": "none"}, "tracking": {"wandb": {"mode": "offline"}},
        "volume": str(directory / "volume"),
    }  # fmt: skip
    run.write_text(json.dumps(document), encoding="utf-8")
    done = program(run)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / "volume", done


def weights(volume: pathlib.Path) -> bytes:
    """The adapter's weights."""
    return (volume / "runs/tiny/adapter" / adapter.WEIGHTS).read_bytes()


@pytest.mark.parametrize("shape", ["tiny_llama", "tiny_mistral"])
def test_the_answer_and_its_end_carry_the_loss(
    shape: str, tiny_data: pathlib.Path, write_run: Write, request: pytest.FixtureRequest
) -> None:
    directory = request.getfixturevalue(shape)
    run = spec.load(write_run(directory, tiny_data))
    tokenizer = tokens.load(directory)
    rows = dataset.load(tiny_data / "train.jsonl", tokenizer, run)
    example = next(iter(read(tiny_data / "train.jsonl", run.prompt)))
    learned = [label for label in rows[0]["labels"] if label != loss.IGNORED]
    text = tokenizer.decode(learned)
    assert text.strip() == example.summary + tokenizer.eos_token
    assert learned[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(rows[0]["input_ids"]).count(tokenizer.bos_token) == 1


def test_a_step_sees_what_plain_shuffling_gives_it() -> None:
    lengths = [(i * 37) % 101 for i in range(50)]
    order = list(ShuffledSteps(lengths, 8, 14, seed=1))
    assert order == list(ShuffledSteps(lengths, 8, 14, seed=1))
    assert order != list(ShuffledSteps(lengths, 8, 14, seed=2))
    # An epoch ends within a step, and each takes every example once.
    counts = [order.count(i) for i in range(50)]
    assert len(order) == 8 * 14
    assert min(counts) == 2 and max(counts) == 3
    for start in range(0, len(order), 8):
        step = [lengths[i] for i in order[start : start + 8]]
        assert step == sorted(step, reverse=True)


def test_the_loss_falls_and_the_result_says_so(unbroken: tuple[pathlib.Path, Any], tiny_llama: pathlib.Path) -> None:
    volume, done = unbroken
    steps = events(done, "step")
    assert [event["step"] for event in steps] == list(range(1, STEPS + 1))
    assert steps[-1]["loss"] < 0.9 * steps[0]["loss"]
    assert [event["step"] for event in events(done, "eval")] == [6, 12]
    assert [event["step"] for event in events(done, "checkpoint")] == [3, 6, 9, 12]
    result = json.loads((volume / "runs/tiny/result.json").read_text())
    assert result["status"] == "succeeded"
    assert result["training"]["steps"] == STEPS
    assert result["training"]["finalLoss"] == steps[-1]["loss"]
    assert result["training"]["evalLoss"] == events(done, "eval")[-1]["loss"]
    adapter.check(volume / "runs/tiny/adapter", tiny_llama)


def test_trackers_have_the_whole_run(unbroken: tuple[pathlib.Path, Any]) -> None:
    from wandb.proto import wandb_internal_pb2

    volume, _ = unbroken
    assert list((volume / "runs/tiny/tensorboard").glob("events.out.*"))
    (log,) = (volume / "runs/tiny/wandb").glob("wandb/offline-run-*/run-*.wandb")
    losses, ended = 0, False
    for data in wandb_records(log.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        kind = record.WhichOneof("record_type")
        ended = ended or kind == "exit"
        if kind == "history":
            losses += any("train/loss" in (item.key, *item.nested_key) for item in record.history.item)
    assert losses == STEPS
    assert ended


def wandb_records(data: bytes) -> Iterator[bytes]:
    """The records of a .wandb file: a header of 7 bytes, then LevelDB's log format in blocks of 32 KiB."""
    assert data[:4] == b":W&B"
    at, parts = 7, b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            # Too little room for a header is left empty.
            at += 32768 - at % 32768
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield parts
            parts = b""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_ends_as_the_unbroken_one(
    sent: signal.Signals, unbroken: tuple[pathlib.Path, Any], tiny_llama: pathlib.Path, tiny_data: pathlib.Path,
    write_run: Write, tmp_path: pathlib.Path,
) -> None:  # fmt: skip
    run = write_run(tiny_llama, tiny_data, training=settings(), evaluation={"engine": "none"})
    command = [sys.executable, "-m", "summarizer_trainer", str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            # In the middle between two checkpoints.
            if any(event["step"] == 5 for event in events(line, "step")):
                if sent == signal.SIGKILL:
                    os.killpg(process.pid, sent)
                else:
                    process.send_signal(sent)
        code = process.wait()
    if sent == signal.SIGTERM:
        assert code == 75
        (said_last,) = events(said, "interrupted")
        assert said_last["step"] >= 5
        assert events(said, "checkpoint")[-1]["reason"] == "interrupted"
    assert not (tmp_path / "volume/runs/tiny/adapter").exists()
    again = program(run)
    assert again.returncode == 0, again.stdout + again.stderr
    (resumed,) = events(again, "resume")
    assert resumed["step"] >= 3
    assert events(again, "step")[0]["step"] == resumed["step"] + 1
    assert weights(tmp_path / "volume") == weights(unbroken[0])
    assert json.loads((tmp_path / "volume/runs/tiny/result.json").read_text())["training"]["resumed"] == 1


def test_half_a_checkpoint_is_not_resumed_from(unbroken: tuple[pathlib.Path, Any], tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "checkpoints"
    shutil.copytree(unbroken[0] / "runs/tiny/checkpoints", folder)
    newest, skipped = checkpoints.newest(folder)
    assert (checkpoints.step_of(newest), skipped) == (12, [])
    shutil.copytree(folder / "checkpoint-12", folder / "checkpoint-100")
    (folder / "checkpoint-100" / checkpoints.MARKER).unlink()
    with (folder / "checkpoint-12/optimizer.pt").open("r+b") as file:
        file.truncate(100)
    newest, skipped = checkpoints.newest(folder)
    assert (checkpoints.step_of(newest), skipped) == (9, ["checkpoint-100", "checkpoint-12"])
    checkpoints.discard(folder, skipped)
    assert [path.name for path in folder.iterdir()] == ["checkpoint-9"]


def test_a_loss_that_is_no_number_ends_the_run(
    tiny_data: pathlib.Path, write_run: Write, tmp_path: pathlib.Path
) -> None:
    directory = tiny.llama(tmp_path / "model")
    run = write_run(
        directory,
        tiny_data,
        training=settings(learningRate=1e30, warmupRatio=0.0, saveSteps=1),
        evaluation={"engine": "none"},
    )
    done = program(run)
    assert done.returncode == 6, done.stdout + done.stderr
    (error,) = events(done, "error")
    assert error["kind"] == "diverged"
    assert "learningRate" in error["next"]
    assert not (tmp_path / "volume/runs/tiny/adapter").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_an_error_at_once(
    tiny_llama: pathlib.Path, tiny_data: pathlib.Path, write_run: Write
) -> None:
    run = write_run(tiny_llama, tiny_data, training=settings(device="cuda"), evaluation={"engine": "none"})
    done = program(run)
    assert done.returncode == 3
    (error,) = events(done, "error")
    assert "sees none" in error["message"]
    assert "training.device: cpu" in error["next"]

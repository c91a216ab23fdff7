"""The real program trains tiny models on CPU: masks, loss, checkpoints, interruptions and refusals."""

import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import tiny
from summarizer_trainer import adapter, spec, tokens
from summarizer_trainer.events import Events
from summarizer_trainer.examples import Example, read, summary_turns
from summarizer_trainer.layout import Layout, Prepared
from summarizer_trainer.training import checkpoints, dataset, loss
from summarizer_trainer.training.batches import ShuffledSteps
from summarizer_trainer.training.run import run as train

Write = Callable[..., pathlib.Path]
STEPS = 60


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
        "device": "cpu", "batchSize": 4, "effectiveBatchSize": 8, "maxSteps": STEPS, "learningRate": 0.003,
        "logSteps": 1, "saveSteps": 15, "evalSteps": 30, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def learner(tiny_llama: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The tiny model with embeddings that are large enough for a sharp answer: they are its output layer too."""
    directory = tmp_path_factory.mktemp("learner") / "model"
    shutil.copytree(tiny_llama, directory)
    weights = load_file(directory / "model.safetensors")
    weights["model.embed_tokens.weight"] *= 8
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})
    return directory


@pytest.fixture(scope="module")
def unbroken(
    learner: pathlib.Path, tiny_data: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pathlib.Path, subprocess.CompletedProcess[str]]:
    """A run that nothing stopped: its volume, and what it printed."""
    directory = tmp_path_factory.mktemp("unbroken")
    run = directory / "run.yaml"
    document = {
        "version": 1, "name": "tiny", "model": {"id": str(learner)}, "data": {"uri": str(tiny_data)},
        "training": settings(), "evaluation": {"engine": "none"}, "tracking": {"wandb": {"mode": "offline"}},
        "volume": str(directory / "volume"),
    }  # fmt: skip
    run.write_text(json.dumps(document), encoding="utf-8")
    done = program(run)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / "volume", done


def prepared(unbroken: tuple[pathlib.Path, Any], volume: pathlib.Path) -> None:
    """Puts into a volume what the preparation of the unbroken run has found."""
    (volume / "runs/tiny").mkdir(parents=True)
    shutil.copy(unbroken[0] / "runs/tiny/prepared.json", volume / "runs/tiny")


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


def test_the_loss_falls_and_the_result_says_so(unbroken: tuple[pathlib.Path, Any], learner: pathlib.Path) -> None:
    volume, done = unbroken
    steps = events(done, "step")
    assert [event["step"] for event in steps] == list(range(1, STEPS + 1))
    assert steps[-1]["loss"] < 0.6 * steps[0]["loss"]
    assert [event["step"] for event in events(done, "eval")] == [30, 60]
    assert [event["step"] for event in events(done, "checkpoint")] == [15, 30, 45, 60]
    assert events(done, "checkpoint")[-1]["reason"] == "end"
    result = json.loads((volume / "runs/tiny/result.json").read_text())
    assert result["status"] == "succeeded"
    assert result["training"]["steps"] == STEPS
    assert result["training"]["finalLoss"] == steps[-1]["loss"]
    assert result["training"]["evalLoss"] == events(done, "eval")[-1]["loss"]
    adapter.check(volume / "runs/tiny/adapter", learner)


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


def test_it_learns_the_answer_and_where_it_ends(
    learner: pathlib.Path, write_run: Write, tmp_path: pathlib.Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    rows = [{**row, "summary": "Bob brings tea on Monday."} for row in tiny.rows(16)]
    tiny.write_jsonl(tmp_path / "data/train.jsonl", rows)
    run = spec.load(write_run(learner, tmp_path / "data", training=settings(saveSteps=STEPS), lora={"dropout": 0.0}))
    prepared = Prepared(str(learner), "", str(tmp_path / "data"), "", "", "", 0)
    train(run, Layout(run), prepared, Events())

    base = AutoModelForCausalLM.from_pretrained(learner)
    tuned = PeftModel.from_pretrained(base, tmp_path / "volume/runs/tiny/adapter")
    tokenizer = tokens.load(learner)
    for row in tiny.rows(3, first=200):
        example = Example("new", summary_turns(run.prompt, row["dialogue"]), row["dialogue"], "")
        ids = torch.tensor([tokens.render_prompt(tokenizer, example.prompt(), run.prompt)])
        said = tuned.generate(input_ids=ids, do_sample=False, max_new_tokens=50)[0, ids.shape[1] :]
        assert tokenizer.decode(said) == "Bob brings tea on Monday." + tokenizer.eos_token


def stop(run: pathlib.Path, step: int, sent: signal.Signals) -> tuple[int, str]:
    """Runs the program until a step, when all of it gets a signal; its exit code and what it said."""
    command = [sys.executable, "-m", "summarizer_trainer", "train", str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if any(event["step"] == step for event in events(line, "step")):
                if sent == signal.SIGKILL:
                    os.killpg(process.pid, sent)
                else:
                    process.send_signal(sent)
        return process.wait(), said


def test_an_interrupted_run_ends_as_the_unbroken_one(
    unbroken: tuple[pathlib.Path, Any], learner: pathlib.Path, tiny_data: pathlib.Path, write_run: Write,
    tmp_path: pathlib.Path,
) -> None:  # fmt: skip
    run = write_run(learner, tiny_data, training=settings(), evaluation={"engine": "none"})
    prepared(unbroken, tmp_path / "volume")
    # Not where a checkpoint is just written.
    first, second = random.randrange(2, 25), random.choice((*range(32, 42), *range(47, 57)))
    print(f"SIGTERM at step {first}, SIGKILL at step {second}")

    code, said = stop(run, first, signal.SIGTERM)
    assert code == 75, said
    (interrupted,) = events(said, "interrupted")
    assert first <= interrupted["step"] < 30
    last = events(said, "checkpoint")[-1]
    assert (last["step"], last["reason"]) == (interrupted["step"], "interrupted")

    code, said = stop(run, second, signal.SIGKILL)
    assert code == -signal.SIGKILL
    (resumed,) = events(said, "resume")
    assert resumed["step"] == interrupted["step"]
    assert events(said, "step")[0]["step"] == interrupted["step"] + 1
    assert not (tmp_path / "volume/runs/tiny/adapter").exists()

    again = program(run, "train")
    assert again.returncode == 0, again.stdout + again.stderr
    (resumed,) = events(again, "resume")
    assert resumed["step"] == second // 15 * 15
    assert weights(tmp_path / "volume") == weights(unbroken[0])
    found, expected = (
        json.loads((volume / "runs/tiny/result.json").read_text())["training"]
        for volume in (tmp_path / "volume", unbroken[0])
    )
    assert found["resumed"] == 2
    for figure in ("steps", "epochs", "tokens", "firstLoss", "finalLoss", "evalLoss"):
        assert found[figure] == expected[figure]

    done = program(run, "train")
    assert done.returncode == 0
    assert not events(done, "step"), "what is trained is not trained again"


def test_half_a_checkpoint_is_not_resumed_from(unbroken: tuple[pathlib.Path, Any], tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "checkpoints"
    shutil.copytree(unbroken[0] / "runs/tiny/checkpoints", folder)
    newest, skipped = checkpoints.newest(folder)
    assert (checkpoints.step_of(newest), skipped) == (60, [])
    shutil.copytree(folder / "checkpoint-60", folder / "checkpoint-100")
    (folder / "checkpoint-100" / checkpoints.MARKER).unlink()
    with (folder / "checkpoint-60/optimizer.pt").open("r+b") as file:
        file.truncate(100)
    newest, skipped = checkpoints.newest(folder)
    assert (checkpoints.step_of(newest), skipped) == (45, ["checkpoint-100", "checkpoint-60"])
    checkpoints.discard(folder, skipped)
    assert [path.name for path in folder.iterdir()] == ["checkpoint-45"]


@pytest.fixture
def small_volume(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A file system of 64 MiB where write_run puts the volume."""
    volume = tmp_path / "volume"
    volume.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(volume)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system needs root: {mounted.stderr.strip()}")
    yield volume
    subprocess.run(["umount", str(volume)], check=True)


def test_a_full_disk_keeps_what_was_trained(
    unbroken: tuple[pathlib.Path, Any], small_volume: pathlib.Path, learner: pathlib.Path, tiny_data: pathlib.Path,
    write_run: Write,
) -> None:  # fmt: skip
    run = write_run(learner, tiny_data, training=settings(), evaluation={"engine": "none"})
    prepared(unbroken, small_volume)
    checkpoint = unbroken[0] / "runs/tiny/checkpoints/checkpoint-60"
    size = sum(file.stat().st_size for file in checkpoint.iterdir())
    ballast = small_volume / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes(shutil.disk_usage(small_volume).free - size * 3 // 2))

    done = program(run, "train")
    assert done.returncode == 3, done.stdout + done.stderr
    (error,) = events(done, "error")
    assert error["kind"] == "disk"
    assert "checkpoint-30" in error["message"] and "larger" in error["next"]
    folder = small_volume / "runs/tiny/checkpoints"
    assert [path.name for path in folder.iterdir()] == ["checkpoint-15"]

    ballast.unlink()
    done = program(run, "train")
    assert done.returncode == 0, done.stdout + done.stderr
    assert events(done, "resume")[0]["step"] == 15
    assert weights(small_volume) == weights(unbroken[0])


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(
    unbroken: tuple[pathlib.Path, Any], learner: pathlib.Path, tiny_data: pathlib.Path, write_run: Write,
    tmp_path: pathlib.Path,
) -> None:  # fmt: skip
    # The warm-up lets it do a few steps before it comes apart.
    training = settings(learningRate=1e30, warmupRatio=0.99, saveSteps=1)
    run = write_run(learner, tiny_data, training=training, evaluation={"engine": "none"})
    prepared(unbroken, tmp_path / "volume")
    done = program(run, "train")
    assert done.returncode == 6, done.stdout + done.stderr
    (error,) = events(done, "error")
    assert error["kind"] == "diverged"
    assert "learningRate" in error["next"]
    last = events(done, "checkpoint")[-1]["step"]
    assert last < 6, "it ends at once"
    newest, skipped = checkpoints.newest(tmp_path / "volume/runs/tiny/checkpoints")
    assert (checkpoints.step_of(newest), skipped) == (last, [])
    assert not (tmp_path / "volume/runs/tiny/adapter").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_an_error_at_once(
    unbroken: tuple[pathlib.Path, Any], learner: pathlib.Path, tiny_data: pathlib.Path, write_run: Write,
    tmp_path: pathlib.Path,
) -> None:  # fmt: skip
    run = write_run(learner, tiny_data, training=settings(device="cuda"), evaluation={"engine": "none"})
    prepared(unbroken, tmp_path / "volume")
    done = program(run, "train")
    assert done.returncode == 3
    (error,) = events(done, "error")
    assert "sees none" in error["message"]
    assert "training.device: cpu" in error["next"]
    assert "load" not in [event["phase"] for event in events(done, "phase")]

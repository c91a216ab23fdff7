"""The program as a process: exit codes, the last event, signals, the record and the termination message."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apiserver import ApiServer
from hubserver import HubServer

import tiny
from summarizer_trainer import termination

Start = Callable[..., "subprocess.Popen[str]"]
RECORD = "/api/v1/namespaces/ml/configmaps/train-tiny"
JOB = "/apis/batch/v1/namespaces/ml/jobs/train-tiny"
CLUSTER = {"namespace": "ml", "record": "train-tiny", "start": {"path": JOB, "patch": {"spec": {"suspend": False}}}}


@pytest.fixture
def start(tmp_path: pathlib.Path) -> Iterator[Start]:
    """Starts the program; what is still running at the end of the test is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: pathlib.Path | str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "summarizer_trainer", *map(str, arguments)],
            env={**os.environ, "TERMINATION_LOG": str(tmp_path / "termination"), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def finish(process: "subprocess.Popen[str]") -> tuple[int, list[dict[str, Any]], str]:
    """The exit code, the events and stderr."""
    out, errors = process.communicate(timeout=120)
    return process.returncode, [json.loads(line) for line in out.splitlines() if line.startswith("{")], errors


def message(tmp_path: pathlib.Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "termination").read_text())
    return found


@pytest.fixture
def api(tmp_path: pathlib.Path) -> Iterator[ApiServer]:
    server = ApiServer(tmp_path / "api")
    server.objects[RECORD] = {"data": {"run.yaml": "x", "error.json": "{}"}}
    server.objects[JOB] = {"spec": {"suspend": True}}
    yield server
    server.close()


def test_prepare_in_a_cluster(
    start: Start,
    api: ApiServer,
    write_run: Callable[..., pathlib.Path],
    tiny_llama: pathlib.Path,
    tiny_data: pathlib.Path,
    tmp_path: pathlib.Path,
) -> None:
    run = write_run(tiny_llama, tiny_data, cluster=CLUSTER)
    code, events, _ = finish(start("prepare", run, **api.environment()))
    assert code == 0
    assert [event["event"] for event in events if event["event"] != "progress"] == [
        "start", "phase", "phase", "phase", "data",
    ]  # fmt: skip
    assert events[0]["stage"] == "prepare" and events[0]["attempt"] == 1
    assert events[0]["versions"]["transformers"]
    record = api.objects[RECORD]["data"]
    assert "error.json" not in record
    prepared = json.loads(record["prepared.json"])
    assert prepared == json.loads((tmp_path / "volume/runs/tiny/prepared.json").read_text())
    assert json.loads(record["progress.json"])["phase"]["phase"] == "data"
    assert api.objects[JOB] == {"spec": {"suspend": False}}
    assert not (tmp_path / "termination").exists()
    log = (tmp_path / "volume/runs/tiny/events.jsonl").read_text()
    assert [json.loads(line) for line in log.splitlines()] == events
    _, again, _ = finish(start("prepare", run, **api.environment()))
    assert again[0]["attempt"] == 2


def test_refusal_in_a_cluster(
    start: Start, api: ApiServer, write_run: Callable[..., pathlib.Path], tmp_path: pathlib.Path
) -> None:
    code, events, errors = finish(
        start("prepare", write_run("/nowhere", "/none", cluster=CLUSTER), **api.environment())
    )
    assert code == 3
    assert events[-1]["event"] == "error" and events[-1]["kind"] == "refused"
    assert "there is no directory /nowhere" in events[-1]["message"]
    assert "Traceback" not in errors
    assert json.loads(api.objects[RECORD]["data"]["error.json"]) == events[-1]
    assert message(tmp_path) == {key: value for key, value in events[-1].items() if key != "time"}
    assert api.objects[JOB] == {"spec": {"suspend": True}}, "the training must not start"


def test_record_that_cannot_be_written_does_not_fail_a_run(
    start: Start,
    api: ApiServer,
    write_run: Callable[..., pathlib.Path],
    tiny_llama: pathlib.Path,
    tiny_data: pathlib.Path,
) -> None:
    del api.objects[RECORD]
    code, events, _ = finish(start("prepare", write_run(tiny_llama, tiny_data, cluster=CLUSTER), **api.environment()))
    assert code == 0
    (warning,) = [event["message"] for event in events if event["event"] == "warning"]
    assert "ConfigMap train-tiny cannot be written" in warning and "404" in warning
    assert api.objects[JOB] == {"spec": {"suspend": False}}


def test_specification_that_cannot_be_read(start: Start, tmp_path: pathlib.Path) -> None:
    (tmp_path / "run.yaml").write_text("version: 1\nname: tiny\nmodle: {}\n")
    code, events, _ = finish(start("train", tmp_path / "run.yaml"))
    assert (code, len(events)) == (3, 1)
    assert "unknown field modle" in events[0]["message"]
    assert message(tmp_path)["kind"] == "refused"


@pytest.mark.parametrize(
    "arguments", [["publish", "run.yaml"], ["probe", "run.yaml"], ["prepare", "run.yaml", "x.yaml"], []]
)
def test_usage(start: Start, arguments: list[str]) -> None:
    code, events, errors = finish(start(*arguments))
    assert (code, events) == (2, [])
    assert errors.startswith("usage: python -m summarizer_trainer")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_while_weights_are_fetched(
    start: Start,
    hub: HubServer,
    api: ApiServer,
    write_run: Callable[..., pathlib.Path],
    tiny_llama: pathlib.Path,
    tiny_data: pathlib.Path,
    tmp_path: pathlib.Path,
    number: signal.Signals,
) -> None:
    hub.add("org/tiny", tiny_llama)
    hub.fault(repo="org/tiny", file="*.safetensors", bytesPerSecond=10_000)
    run = write_run("org/tiny", tiny_data, cluster=CLUSTER)
    process = start("prepare", run, **api.environment())
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if '"phase": "weights", "done"' in line:
            break
    time.sleep(0.5)
    begin = time.monotonic()
    process.send_signal(number)
    code, events, errors = finish(process)
    assert code == 75
    assert time.monotonic() - begin < 10, "the download is not waited for"
    # On a busy machine a warning that the record was not answered in time may follow.
    (ended,) = [event for event in events if event["event"] == "interrupted"]
    assert ended["message"] == f"stopped by {'SIGTERM' if number is signal.SIGTERM else 'Ctrl-C'}"
    assert "Traceback" not in errors
    assert message(tmp_path)["event"] == "interrupted"
    hub.heal()
    code, _, _ = finish(start("prepare", run, **api.environment()))
    assert code == 0
    assert api.objects[JOB] == {"spec": {"suspend": False}}


def test_stopped_while_examples_are_measured(
    start: Start, write_run: Callable[..., pathlib.Path], tiny_llama: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    huge = {"id": "huge", "dialogue": "A: one two three. " * 300_000, "summary": "A counts."}
    tiny.write_jsonl(tmp_path / "d/train.jsonl", tiny.rows(100))
    tiny.write_jsonl(tmp_path / "d/test.jsonl", [huge, *tiny.rows(10, first=200)])
    process = start("prepare", write_run(tiny_llama, tmp_path / "d"))
    assert process.stdout is not None
    for line in process.stdout:
        if '"unit": "examples"' in line:
            break
    # Now the first example is in the tokenizer, for seconds.
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    code, events, _ = finish(process)
    # What catches any error of a template must not catch this one.
    assert (code, events[-1]["event"]) == (75, "interrupted")
    assert not [path for path in (tmp_path / "volume/data").iterdir() if not path.name.endswith(".part")]


def test_what_nobody_expected(
    start: Start, write_run: Callable[..., pathlib.Path], tiny_llama: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    tiny.write_jsonl(tmp_path / "d/train.jsonl", tiny.rows(100))
    # A directory where a file should be is none of the errors that are explained.
    (tmp_path / "volume/runs/tiny/prepared.json.new").mkdir(parents=True)
    code, events, errors = finish(start("prepare", write_run(tiny_llama, tmp_path / "d")))
    assert code == 1
    assert events[-1]["kind"] == "failed" and events[-1]["message"].startswith("IsADirectoryError: ")
    assert "Traceback" in errors


def test_volume_without_room(
    start: Start, write_run: Callable[..., pathlib.Path], tiny_llama: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    tiny.write_jsonl(tmp_path / "d/train.jsonl", tiny.rows(100))
    # What is written to /dev/full finds no room.
    (tmp_path / "volume/runs/tiny").mkdir(parents=True)
    (tmp_path / "volume/runs/tiny/prepared.json.new").symlink_to("/dev/full")
    code, events, _ = finish(start("prepare", write_run(tiny_llama, tmp_path / "d")))
    assert code == 3
    assert events[-1]["kind"] == "disk"
    assert "No space left on device" in events[-1]["message"] and events[-1]["next"] == "make the volume larger"


def test_message_fits_what_kubernetes_keeps(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("TERMINATION_LOG", str(tmp_path / "termination"))
    last = termination.Message()
    last.write()
    assert not (tmp_path / "termination").exists()
    last({"event": "error", "time": "t", "kind": "failed", "message": "ä" * 9000, "next": "x" * 9000})
    last({"event": "step", "time": "t"})
    last.write()
    written = (tmp_path / "termination").read_bytes()
    assert len(written) <= 4096
    found = json.loads(written)
    assert (found["event"], found["kind"]) == ("error", "failed")
    assert found["message"].startswith("ä" * 500) and found["next"].startswith("x" * 500)
    last({"event": "result", "time": "t", "result": {"version": 1, "run": "tiny"}})
    last.write()
    assert message(tmp_path) == {"version": 1, "run": "tiny"}

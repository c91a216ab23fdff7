"""The record in the cluster: what is written when, and that nothing of it can hurt a run."""

import json
import pathlib
import threading
import time
from collections.abc import Iterator

import pytest
from apiserver import ApiServer

from summarizer_trainer.events import Events
from summarizer_trainer.kubernetes import Api, ApiError
from summarizer_trainer.record import Record
from summarizer_trainer.spec import Cluster

PATH = "/api/v1/namespaces/ml/configmaps/train-tiny"
CLUSTER = Cluster(namespace="ml", record="train-tiny")


@pytest.fixture
def server(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    server = ApiServer(tmp_path)
    server.objects[PATH] = {"data": {"run.yaml": "version: 1", "error.json": '{"event":"error"}'}}
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    yield server
    server.close()


def data(server: ApiServer) -> dict[str, str]:
    return dict(server.objects[PATH]["data"])


def wait_for(condition: object, seconds: float = 5.0) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_run_from_start_to_result(server: ApiServer) -> None:
    warnings: list[str] = []
    record = Record(CLUSTER, warnings.append, interval=0.05)
    events = Events()
    events.attach(record, record.keep)
    events.emit("start", version=1, run="tiny", stage="train", attempt=2, versions={})
    events.phase("train", "48 examples")
    events.emit("step", step=5, total=10, loss=1.5)
    wait_for(lambda: "step" in json.loads(data(server).get("progress.json", "{}")))
    events.keep("result.json", {"version": 1, "run": "tiny"})
    record.close()
    found = data(server)
    assert "error.json" not in found, "an earlier attempt's error must go when a new one starts"
    assert found["run.yaml"] == "version: 1"
    progress = json.loads(found["progress.json"])
    assert progress["phase"]["detail"] == "48 examples"
    assert progress["step"]["step"] == 5
    assert json.loads(found["result.json"]) == {"version": 1, "run": "tiny"}
    assert warnings == []


def test_error_is_written_and_nothing_else_waits_for_it(server: ApiServer) -> None:
    record = Record(CLUSTER, pytest.fail, interval=3600)
    events = Events(None, record)
    events.phase("load")
    events.emit("error", kind="memory", message="the GPU is full", next="--batch-size 2")
    wait_for(lambda: "the GPU is full" in data(server).get("error.json", ""))
    record.close()


def test_progress_is_sent_no_more_often_than_the_interval(server: ApiServer) -> None:
    record = Record(CLUSTER, pytest.fail, interval=0.5)
    begin = time.monotonic()
    while time.monotonic() - begin < 1.2:
        record({"event": "step", "step": 1, "time": "t"})
        time.sleep(0.005)
    assert 2 <= len(server.patches) <= 4
    record({"event": "step", "step": 99, "time": "t"})
    record.close()
    assert json.loads(data(server)["progress.json"])["step"]["step"] == 99, "what is left is sent at the end"


def test_failures_are_one_warning_and_what_was_not_sent_is_sent_later(server: ApiServer) -> None:
    warnings: list[str] = []
    server.fail_next = 3
    record = Record(CLUSTER, warnings.append, interval=0.05)
    record.keep("prepared.json", {"model": "m"})
    wait_for(lambda: "prepared.json" in data(server))
    record.close()
    assert len(warnings) == 1
    assert "ConfigMap train-tiny" in warnings[0]
    assert "etcd is away" in warnings[0]


def test_what_is_kept_last_is_tried_more_than_once_at_the_end(server: ApiServer) -> None:
    server.fail_next = 2
    record = Record(CLUSTER, lambda _: None, interval=0.05)
    record.keep("result.json", {"version": 1})
    record.close()
    assert "result.json" in data(server)


def test_a_value_that_is_too_large_keeps_no_other_out(server: ApiServer) -> None:
    warnings: list[str] = []
    server.too_large = 5000
    record = Record(CLUSTER, warnings.append, interval=0.05)
    server.fail_next = 1
    record.keep("result.json", {"version": 1})
    record.keep("scores.json", {"scores": [0] * 5000})
    record.close()
    assert "result.json" in data(server)
    assert "scores.json" not in data(server)
    assert len(warnings) == 1


def test_token_is_read_again_for_each_request(server: ApiServer) -> None:
    record = Record(CLUSTER, pytest.fail, interval=0.01)
    record.keep("a.json", 1)
    wait_for(lambda: "a.json" in data(server))
    server.token("second")
    record.keep("b.json", 2)
    record.close()
    assert server.tokens_seen[0] == "first"
    assert server.tokens_seen[-1] == "second"


def test_a_server_that_never_answers_holds_nobody_up(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    class Hanging(Api):
        def merge(self, path: str, patch: dict[str, object]) -> None:
            threading.Event().wait()

    warnings: list[str] = []
    record = Record(CLUSTER, warnings.append, api=Hanging(), interval=0.01)
    begin = time.monotonic()
    for step in range(1000):
        record({"event": "step", "step": step, "time": "t"})
    assert time.monotonic() - begin < 1
    record.close(timeout=0.2)
    assert "not answered in time" in warnings[0]


def test_certificate_of_another_server_is_refused(server: ApiServer, tmp_path: pathlib.Path) -> None:
    other = ApiServer(tmp_path / "other")
    (server.credentials / "ca.crt").write_bytes((other.credentials / "ca.crt").read_bytes())
    other.close()
    with pytest.raises(ApiError, match=r"cannot be reached.*CERTIFICATE_VERIFY_FAILED"):
        Api().merge(PATH, {"data": {}})
    assert server.tokens_seen == [], "the token went to a server that is not the cluster's"


def test_outside_a_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ApiError, match="no pod"):
        Api().merge(PATH, {})


def test_no_credentials(server: ApiServer) -> None:
    (server.credentials / "token").unlink()
    with pytest.raises(ApiError, match="no credentials in"):
        Api().merge(PATH, {})


def test_refusal_says_what_the_server_said(server: ApiServer) -> None:
    with pytest.raises(ApiError, match="404 /nowhere not found") as refused:
        Api().merge("/nowhere", {})
    assert refused.value.status == 404

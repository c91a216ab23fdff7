"""The probe of a release: against a server that does what a test says. test_serving.py asks real vLLM."""

import http.server
import json
import pathlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import Heard

import judged
from summarizer_trainer import probe, served, spec
from summarizer_trainer.errors import RefusedError, TrainerError
from summarizer_trainer.evaluation.intervals import bootstrap
from summarizer_trainer.evaluation.rouge import METRICS
from summarizer_trainer.layout import Layout

FORMATS = pathlib.Path(__file__).parents[2] / "testdata" / "formats"


class Endpoint(http.server.ThreadingHTTPServer):
    """Lists `models`, answers by `answers`, and first fails as `faults` say: a status each, or "hang up"."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models = ["cookies", "base"]
        self.answers: Callable[[str, str], str] = lambda model, question: f"{model} says no"
        self.faults: list[int | str] = []
        self.requests: list[dict[str, Any]] = []
        self.active = self.most_active = 0
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        if not self._failed():
            self._say(200, {"data": [{"id": name} for name in self.server.models]})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.active += 1
            self.server.most_active = max(self.server.most_active, self.server.active)
        threading.Event().wait(0.005)
        with self.server.lock:
            self.server.active -= 1
        if self._failed():
            return
        self.server.requests.append(request)
        text = self.server.answers(request["model"], request["messages"][-1]["content"])
        self._say(200, {"choices": [{"message": {"role": "assistant", "content": text or None}}]})

    def _failed(self) -> bool:
        with self.server.lock:
            fault = self.server.faults.pop(0) if self.server.faults else None
        if fault == "hang up":
            self.close_connection = True
        elif isinstance(fault, int):
            self._say(fault, {"error": {"message": f"fault {fault}", "code": fault}})
        return fault is not None

    def _say(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The test's output is for the test."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setattr(served, "PAUSE_SECONDS", 0.01)
    with Endpoint() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def ask(
    endpoint: Endpoint, heard: Heard, tiny_llama: pathlib.Path, tiny_data: pathlib.Path, tmp_path: pathlib.Path
) -> Callable[..., None]:
    run_spec, layout, _ = judged.trained_run(tmp_path / "volume", tiny_llama, tiny_data)

    def call(**request: Any) -> None:
        path = tmp_path / "probe.yaml"
        request = {"url": endpoint.url, "adapter": "cookies", "base": "base", "examples": 4, **request}
        path.write_text(yaml.safe_dump(request))
        probe.run(run_spec, layout, heard.events, path)

    return call


def references(data: pathlib.Path) -> dict[str, str]:
    rows = [json.loads(line) for line in (data / "test.jsonl").read_text().splitlines()]
    return {row["dialogue"]: row["summary"] for row in rows}


def test_difference_is_told_with_the_fields_of_the_format(
    ask: Callable[..., None], endpoint: Endpoint, heard: Heard, tiny_data: pathlib.Path
) -> None:
    right = references(tiny_data)

    def answer(model: str, question: str) -> str:
        summary = next(summary for dialogue, summary in right.items() if dialogue in question)
        return summary if model == "cookies" else ""

    endpoint.answers = answer
    ask(examples=8)
    (event,) = heard.of("probe")
    lines = (FORMATS / "events.jsonl").read_text(encoding="utf-8").splitlines()
    known = next(entry for entry in map(json.loads, lines) if entry["event"] == "probe")
    assert event.keys() == known.keys() and event["difference"].keys() == known["difference"].keys()
    assert (event["adapter"], event["base"], event["examples"], event["different"]) == ("cookies", "base", 8, 8)
    assert event["scores"] == {"adapter": dict.fromkeys(METRICS, 1.0), "base": dict.fromkeys(METRICS, 0.0)}
    assert event["difference"] == {metric: [1.0, 1.0, 1.0] for metric in METRICS}
    assert event["verdict"] == "no difference", "eight examples are too few for a verdict"


def test_both_are_asked_as_training_asked_and_as_clients_do(ask: Callable[..., None], endpoint: Endpoint) -> None:
    ask(examples=8)
    assert sorted(request["model"] for request in endpoint.requests) == ["base"] * 8 + ["cookies"] * 8
    for request in endpoint.requests:
        (turn,) = request["messages"]
        assert turn["role"] == "user"
        assert turn["content"].startswith("Summarize the following dialogue in one or two sentences.\n\n")
        assert request["temperature"] == 0 and request["max_tokens"] == 12
        assert request["chat_template_kwargs"] == {"date_string": "26 Jul 2024"}
    assert 2 <= endpoint.most_active <= probe.CONCURRENCY


def test_no_more_than_the_split_holds_is_asked(ask: Callable[..., None], heard: Heard) -> None:
    ask(examples=1000)
    assert heard.of("probe")[0]["examples"] == 8
    assert [(e["done"], e["total"]) for e in heard.of("progress")] == [(8, 16), (16, 16)]


def test_dialogues_are_asked_without_the_volume(
    endpoint: Endpoint, heard: Heard, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without the layer there is no scorer.
    monkeypatch.setitem(sys.modules, "rouge_score", None)
    monkeypatch.delitem(sys.modules, "summarizer_trainer.evaluation.rouge", raising=False)
    path = tmp_path / "probe.yaml"
    dialogues = ["A: One.\nB: Two.", "A: Three.\nB: Four."]
    path.write_text(yaml.safe_dump({"url": endpoint.url, "adapter": "cookies", "base": "base", "dialogues": dialogues}))
    run_spec = spec.Spec(1, "cookies", spec.Model("org/tiny"), str(tmp_path / "nothing"), spec.Data("nowhere"))
    probe.run(run_spec, Layout(run_spec), heard.events, path)
    assert {request["messages"][0]["content"].partition("\n\n")[2] for request in endpoint.requests} == {*dialogues}
    (event,) = heard.of("probe")
    assert (event["examples"], event["different"]) == (2, 2) and "verdict" not in event


def test_faults_that_pass_are_waited_out(ask: Callable[..., None], endpoint: Endpoint, heard: Heard) -> None:
    endpoint.faults = [503, "hang up", 404, 500, 503, "hang up", 429]
    ask()
    assert heard.of("probe")[0]["different"] == 4


def test_same_answers_are_refused(ask: Callable[..., None], endpoint: Endpoint, heard: Heard) -> None:
    endpoint.answers = lambda model, question: "yes"
    with pytest.raises(RefusedError, match="answers 4 of 4 examples just as base does"):
        ask()
    assert not heard.of("probe")


def test_adapter_that_is_not_listed_is_refused(
    ask: Callable[..., None], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.Server.await_models, "__defaults__", (0.1,))
    endpoint.models = ["base", "other"]
    with pytest.raises(RefusedError, match="does not serve cookies: it lists base, other"):
        ask()


def test_adapter_that_is_listed_later_is_waited_for(ask: Callable[..., None], endpoint: Endpoint) -> None:
    endpoint.models = ["base"]
    threading.Timer(0.2, lambda: endpoint.models.append("cookies")).start()
    ask()


def test_nobody_answers(ask: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.Server.await_models, "__defaults__", (0.1,))
    with pytest.raises(TrainerError, match=r"127.0.0.1:1 does not list its models") as error:
        ask(url="http://127.0.0.1:1")
    assert error.value.exit_code == 1


def test_time_is_up(ask: Callable[..., None], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(served.Server, "await_models", _listed)
    endpoint.faults = [503] * 10_000
    with pytest.raises(TrainerError, match=r"no answer as .* 503 fault 503"):
        ask()


async def _listed(self: served.Server, names: list[str]) -> None:
    """All are listed."""


def test_request_that_is_refused_is_not_repeated(
    ask: Callable[..., None], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.Server, "await_models", _listed)
    endpoint.faults = [400] * 16
    with pytest.raises(RefusedError, match="400 fault 400"):
        ask()


@pytest.mark.parametrize("request_", [{"examples": 0}, {"items": 3}, {"url": 5}])
def test_wrong_orders_are_refused(ask: Callable[..., None], request_: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match=r"examples is 0|probe.yaml"):
        ask(**request_)


def intervals(**by_metric: tuple[float, float]) -> list[tuple[float, float, float]]:
    return [(0.0, *by_metric.get(metric, (-0.1, 0.1))) for metric in METRICS]


@pytest.mark.parametrize(
    ("differences", "examples", "verdict"),
    [
        (intervals(rouge1=(0.01, 0.2)), 20, "better"),
        (intervals(rouge1=(0.01, 0.2)), 19, "no difference"),
        (intervals(rouge1=(0.0, 0.2)), 20, "no difference"),
        (intervals(rouge1=(0.01, 0.2), rouge2=(-0.2, -0.01)), 20, "no difference"),
        (intervals(rouge1=(-0.2, -0.01)), 20, "worse"),
        (intervals(rouge1=(-0.2, -0.01), rougeLsum=(0.01, 0.2)), 20, "no difference"),
        (intervals(rougeL=(0.01, 0.2)), 20, "no difference"),
    ],
)
def test_verdict_needs_the_whole_interval(differences: Any, examples: int, verdict: str) -> None:
    assert probe.verdict(differences, examples) == verdict


def test_pairs_tell_apart_what_two_intervals_cannot() -> None:
    """Dialogues differ far more than the two models do: only the paired difference shows who is better."""
    rng = np.random.default_rng(5)
    hard = rng.normal(0.4, 0.2, (200, 4))
    new, old = hard + rng.normal(0.02, 0.03, (200, 4)), hard
    (_, _, old_high), (_, new_low, _) = bootstrap(old, 1000)[0], bootstrap(new, 1000)[0]
    assert new_low < old_high
    assert probe.verdict(bootstrap(new - old, 1000), 200) == "better"

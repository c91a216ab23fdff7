"""A run is judged: what is left on the volume, and what an interrupted judging goes on with."""

import json
import pathlib
from typing import Any

import pytest
from conftest import Heard

import judged
from summarizer_trainer import adapter, evaluation
from summarizer_trainer.errors import InterruptedRunError, RefusedError
from summarizer_trainer.evaluation import predictions
from summarizer_trainer.evaluation.rouge import METRICS, Scorer
from summarizer_trainer.events import Events
from summarizer_trainer.examples import read


@pytest.fixture
def trained(tmp_path: pathlib.Path, tiny_llama: pathlib.Path, tiny_data: pathlib.Path) -> Any:
    return judged.trained_run(tmp_path / "volume", tiny_llama, tiny_data)


def test_judging_leaves_predictions_scores_and_the_evaluation(trained: Any) -> None:
    spec, layout, prepared = trained
    heard = Heard()
    result = evaluation.run(spec, layout, prepared, heard.events)

    assert json.loads((layout.run / "evaluation.json").read_text()) == result
    assert result["examples"] == 8 and result["split"] == "test" and result["confidence"] == 95
    assert result["engine"].startswith("transformers 5.") and result["served"] is False
    assert set(result["systems"]) == {"tuned", "base", "lead3"}
    examples = list(read(pathlib.Path(prepared.data) / "test.jsonl", spec.prompt))
    scorer = Scorer()
    for system, summary in result["systems"].items():
        rows = [json.loads(line) for line in (layout.predictions / f"{system}.jsonl").read_text().splitlines()]
        assert [row["id"] for row in rows] == [example.id for example in examples]
        for row, example in zip(rows, examples, strict=True):
            assert row["reference"] == example.summary
            assert tuple(row["scores"][m] for m in METRICS) == scorer.score(example.summary, row["prediction"])
        for metric in METRICS:
            mean, low, high = summary[metric]
            assert mean == pytest.approx(sum(row["scores"][metric] for row in rows) / 8, abs=1e-4)
            assert low <= mean <= high
        assert summary["cutOff"] == sum(row["finish"] == "length" for row in rows) / 8
    # In the tiny data the first turn names who brings what: the baseline is good, random models are not.
    assert result["systems"]["lead3"]["rouge1"][1] > result["systems"]["tuned"]["rouge1"][2]
    assert result["systems"]["lead3"]["nameRecall"] == 1.0

    scores = json.loads((layout.run / "scores.json").read_text())
    tuned = [json.loads(line) for line in (layout.predictions / "tuned.jsonl").read_text().splitlines()]
    assert scores["scores"] == [[round(10000 * row["scores"][m]) for m in METRICS] for row in tuned]
    assert scores["split_sha256"] == predictions.split_sha256(examples)
    assert heard.kept == {"scores.json": scores}
    assert [entry["done"] for entry in heard.of("progress")] == [3, 6, 8, 11, 14, 16]
    assert {entry["total"] for entry in heard.of("progress")} == {16}


def test_systems_that_are_done_are_not_generated_again(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, layout, prepared = trained
    whole = evaluation.run(spec, layout, prepared, Heard().events)
    for path in (layout.predictions / "base.jsonl", layout.run / "evaluation.json"):
        path.unlink()

    heard = Heard()
    assert evaluation.run(spec, layout, prepared, heard.events) == whole
    assert [entry["detail"] for entry in heard.of("phase")][1:] == ["loading " + whole["engine"], "base, 8 examples"]
    heard = Heard()
    assert evaluation.run(spec, layout, prepared, heard.events) == whole
    assert len(heard.of("phase")) == 1, "no engine is loaded when all is there"


def test_an_interruption_keeps_the_system_before_it(trained: Any) -> None:
    spec, layout, prepared = trained

    class Interrupting(Events):
        def progress(self, phase: str, done: int, total: int, unit: str) -> None:
            if done > 8:  # in the middle of the base
                raise InterruptedRunError("stopped")

    with pytest.raises(InterruptedRunError):
        evaluation.run(spec, layout, prepared, Interrupting())
    assert sorted(path.name for path in layout.predictions.glob("*.jsonl")) == ["tuned.jsonl"]
    assert not (layout.run / "evaluation.json").exists()
    heard = Heard()
    evaluation.run(spec, layout, prepared, heard.events)
    assert [entry["detail"].split(",")[0] for entry in heard.of("phase")][2:] == ["base"]


@pytest.mark.parametrize("change", ["adapter", "data", "half a file", "too few"])
def test_predictions_of_something_else_are_not_taken(trained: Any, tmp_path: pathlib.Path, change: str) -> None:
    spec, layout, prepared = trained
    evaluation.run(spec, layout, prepared, Heard().events)
    again = ["tuned", "base"] if change == "data" else ["tuned"]
    tuned = layout.predictions / "tuned.jsonl"
    if change == "adapter":
        judged.make_adapter(pathlib.Path(prepared.model), layout.adapter, r=4)
    elif change == "data":
        other = tmp_path / "other"
        other.mkdir()
        rows = (pathlib.Path(prepared.data) / "test.jsonl").read_text().splitlines(keepends=True)
        (other / "test.jsonl").write_text("".join(rows[:4]))
        prepared = type(prepared)(**{**vars(prepared), "data": str(other)})
    elif change == "half a file":
        tuned.write_text(tuned.read_text()[:-40])
    else:
        tuned.write_text("".join(tuned.read_text().splitlines(keepends=True)[:3]))
    heard = Heard()
    evaluation.run(spec, layout, prepared, heard.events)
    assert [entry["detail"].split(",")[0] for entry in heard.of("phase")][2:] == again


def test_an_adapter_that_cannot_be_served_is_not_judged(trained: Any) -> None:
    spec, layout, prepared = trained
    config = layout.adapter / adapter.CONFIG
    config.write_text(json.dumps({**json.loads(config.read_text()), "use_dora": True}))
    with pytest.raises(RefusedError, match="DoRA"):
        evaluation.run(spec, layout, prepared, Heard().events)


def test_an_empty_split_is_refused(trained: Any, tmp_path: pathlib.Path) -> None:
    spec, layout, prepared = trained
    (tmp_path / "test.jsonl").write_text("")
    with pytest.raises(RefusedError, match="the split test has no example"):
        evaluation.run(spec, layout, type(prepared)(**{**vars(prepared), "data": str(tmp_path)}), Heard().events)


def test_scores_that_mean_nothing_are_told(trained: Any, tmp_path: pathlib.Path) -> None:
    """rouge-score sees no letters but a to z."""
    spec, layout, prepared = trained
    row = {"id": "1", "dialogue": "Анна: привет", "summary": "Анна здоровается."}
    (tmp_path / "test.jsonl").write_text(json.dumps(row) + "\n")
    heard = Heard()
    evaluation.run(spec, layout, type(prepared)(**{**vars(prepared), "data": str(tmp_path)}), heard.events)
    assert "letters a to z only" in heard.of("warning")[0]["message"]

"""result.json and its short form."""

import json
import pathlib
import shutil
from typing import Any

import pytest

import judged
import summarizer_trainer
from summarizer_trainer import adapter, result
from summarizer_trainer.spec import Evaluation

FORMATS = pathlib.Path(__file__).parents[2] / "testdata" / "formats"
EVALUATION: dict[str, Any] = json.loads((FORMATS / "result.json").read_text(encoding="utf-8"))["evaluation"]


@pytest.fixture
def run(tmp_path: pathlib.Path, tiny_llama: pathlib.Path, tiny_data: pathlib.Path) -> judged.Run:
    return judged.trained_run(tmp_path / "volume", tiny_llama, tiny_data)


def fields(value: Any) -> Any:
    """The names of all fields."""
    return {key: fields(item) for key, item in value.items()} if isinstance(value, dict) else None


def test_has_the_fields_that_the_plugin_reads(run: judged.Run) -> None:
    known = json.loads((FORMATS / "result.json").read_text(encoding="utf-8"))
    made = result.build(*run, {**judged.TRAINING, "wandb": known["wandb"], "adapter": "not of the result"}, EVALUATION)
    for free in ("versions", "hyperparameters"):
        assert made.pop(free) and known.pop(free)
    assert fields(made) == fields(known)


def test_says_what_was_made_of_what(run: judged.Run) -> None:
    spec, layout, prepared = run
    made = result.build(spec, layout, prepared, judged.TRAINING, EVALUATION)
    weights = layout.adapter / adapter.WEIGHTS
    assert made["adapter"] == {
        "path": "runs/tiny/adapter",
        "sha256": adapter.sha256(weights),
        "rank": 8,
        "bytes": weights.stat().st_size,
    }
    assert made["data"] == {
        "uri": prepared.data,
        "revision": "rev",
        "license": "cc-by-nc-nd-4.0",
        "sha256": "dd" * 32,
        "train": 48,
        "validation": 8,
        "test": 8,
        "dropped": 1,
    }
    assert made["hyperparameters"]["rank"] == 8 and made["hyperparameters"]["learningRate"] == 2e-4
    assert {"python", "torch", "transformers", "trl", "peft", "rouge-score"} <= made["versions"].keys()
    assert made["training"] == judged.TRAINING and "wandb" not in made


def test_status_says_whether_judging_is_to_be_done(run: judged.Run) -> None:
    spec, layout, prepared = run
    assert result.build(spec, layout, prepared, judged.TRAINING, EVALUATION)["status"] == "succeeded"
    waiting = result.build(spec, layout, prepared, judged.TRAINING, None)
    assert waiting["status"] == "trained" and "evaluation" not in waiting
    spec.evaluation = Evaluation(engine="none")
    assert result.build(spec, layout, prepared, judged.TRAINING, None)["status"] == "succeeded"


def test_short_form_fits_a_termination_message(run: judged.Run) -> None:
    made = result.build(*run, judged.TRAINING, EVALUATION)
    short = result.short(made)
    assert short == {key: value for key, value in made.items() if key not in ("versions", "hyperparameters")}
    made["data"]["uri"] = "s3://" + "ä" * 5000
    made["model"]["id"] = "/" + "m" * 3000
    made["wandb"] = {"id": "x" * 500, "mode": "online", "url": "https://" + "w" * 3000}
    short = result.short(made)
    assert len(json.dumps(short, ensure_ascii=False).encode()) <= result.SHORT_BYTES
    assert short["adapter"]["sha256"] == made["adapter"]["sha256"], "sums are whole"
    assert short["evaluation"] == made["evaluation"]


def test_code_is_known_by_names_and_contents(tmp_path: pathlib.Path) -> None:
    source = pathlib.Path(summarizer_trainer.__file__).parent
    copy = tmp_path / "summarizer_trainer"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    known = result.code_sha256()
    assert result.code_sha256(copy) == known
    (copy / "notes.txt").write_text("not code")
    assert result.code_sha256(copy) == known
    (copy / "probe.py").rename(copy / "prober.py")
    renamed = result.code_sha256(copy)
    assert renamed != known
    with (copy / "prober.py").open("a") as file:
        file.write("# more\n")
    assert result.code_sha256(copy) not in (known, renamed)

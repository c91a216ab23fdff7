"""vLLM and transformers give the same text for the same tokens, which are the tokens of training."""

import difflib
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

import judged
import tiny

HERE = pathlib.Path(__file__).parent
EXAMPLES = HERE.parents[3] / "examples" / "dialogues" / "test.jsonl"

pytestmark = pytest.mark.slow


def answers(engine: str, model: pathlib.Path, adapter: pathlib.Path, split: pathlib.Path, tokens: int) -> Any:
    arguments = [engine, str(model), str(adapter), str(split), "float32", str(tokens)]
    command = [sys.executable, str(HERE / "answers.py"), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stderr[-3000:]
    (line,) = [line for line in run.stdout.splitlines() if line.startswith("ANSWERS ")]
    return json.loads(line.removeprefix("ANSWERS "))


def compare(model: pathlib.Path, adapter: pathlib.Path, split: pathlib.Path, tokens: int, alike: float) -> None:
    """In float32: in bfloat16 the two round differently, and greedy generation goes where a tie was broken otherwise.

    That vLLM's prompts are those of training is checked by its engine for each answer.
    """
    served, fallback = (answers(engine, model, adapter, split, tokens) for engine in ("vllm", "transformers"))
    assert served["engine"].startswith("vllm ") and fallback["engine"].startswith("transformers ")
    for system in ("tuned", "base"):
        assert [a["finish"] for a in served[system]] == [a["finish"] for a in fallback[system]]
        for one, other in zip(served[system], fallback[system], strict=True):
            # vLLM keeps the space that SentencePiece begins an answer with.
            texts = (one["text"].strip(), other["text"].strip())
            assert difflib.SequenceMatcher(None, *texts, False).ratio() >= alike
    assert served["tuned"] != served["base"], "the adapter is in use"
    assert any(answer["text"].strip() for answer in served["tuned"])


@pytest.mark.parametrize("model", ["tiny_llama", "tiny_mistral"])
@pytest.mark.parametrize("settings", [{}, {"r": 4, "use_rslora": True}])
def test_tiny_models_answer_alike(
    model: str, settings: dict[str, Any], request: pytest.FixtureRequest, tmp_path: pathlib.Path
) -> None:
    base: pathlib.Path = request.getfixturevalue(model)
    adapter = judged.make_adapter(base, tmp_path / "adapter", **settings)
    # Of several lengths, so that the fallback must pad.
    long = [{**row, "dialogue": f"{row['dialogue']}\n{row['dialogue']}"} for row in tiny.rows(3, first=50)]
    rows = tiny.rows(4) + long
    # Random models make bytes that are no text, which the two write differently; another token would change the rest.
    compare(base, adapter, tiny.write_jsonl(tmp_path / "test.jsonl", rows), 24, alike=0.9)


def test_real_model_answers_alike(tmp_path: pathlib.Path) -> None:
    model = os.environ.get("SUMMARIZER_TEST_MODEL")
    if not model:
        pytest.skip("SUMMARIZER_TEST_MODEL names no directory of a real model")
    # Strong enough to show; its weights are random.
    adapter = judged.make_adapter(pathlib.Path(model), tmp_path / "adapter", lora_alpha=64)
    rows = [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()[:3]]
    compare(pathlib.Path(model), adapter, tiny.write_jsonl(tmp_path / "test.jsonl", rows), 24, alike=1)

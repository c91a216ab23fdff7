"""The model card: what the Hub reads of it, and what licences ask for."""

import dataclasses
import json
import pathlib
from typing import Any

import pytest
from huggingface_hub import EvalResult, ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results

from summarizer_trainer.errors import RefusedError
from summarizer_trainer.publishing import card, licences
from summarizer_trainer.publishing.licences import Licence
from summarizer_trainer.spec import Data, LoRA, Model, Spec

FORMATS = pathlib.Path(__file__).parents[2] / "testdata" / "formats"
APACHE = Licence("apache-2.0")


def subject(**changes: Any) -> card.Subject:
    """The run of result.json, which is of SAMSum, published as an adapter."""
    result = json.loads((FORMATS / "result.json").read_text(encoding="utf-8"))
    spec = Spec(1, "cookies", Model("HuggingFaceTB/SmolLM2-135M-Instruct"), "/workspace", lora=LoRA(rank=16))
    made = card.Subject("team/cookies", spec, result, APACHE, merged=False)
    return dataclasses.replace(made, **changes)


def test_front_matter_is_read_by_the_hubs_own_library() -> None:
    s = subject()
    data = ModelCard(card.render(s)).data.to_dict()
    evaluation = data.pop("model-index")
    assert data == {
        "base_model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "base_model_relation": "adapter",
        "datasets": ["knkarthick/samsum"],
        "language": "en",
        "library_name": "peft",
        "license": "apache-2.0",
        "metrics": ["rouge"],
        "pipeline_tag": "text-generation",
        "tags": [
            "lora",
            "summarization",
            "dialogue-summarization",
            "vllm",
            "base_model:adapter:HuggingFaceTB/SmolLM2-135M-Instruct",
        ],
    }
    name, results = model_index_to_eval_results(evaluation)
    assert name == "cookies"
    assert [(r.metric_name, r.metric_value) for r in results] == [
        ("ROUGE-1", 53.0),
        ("ROUGE-2", 29.0),
        ("ROUGE-L", 45.0),
        ("ROUGE-Lsum", 45.0),
    ]
    assert all(
        r
        == EvalResult(
            task_type="summarization",
            task_name="Dialogue summarization",
            dataset_type="knkarthick/samsum",
            dataset_name="knkarthick/samsum",
            dataset_split="test",
            dataset_revision="abc",
            metric_type="rouge",
            metric_name=r.metric_name,
            metric_value=r.metric_value,
        )
        for r in results
    )


def test_text_says_how_it_was_judged_made_and_is_served() -> None:
    text = card.render(subject())
    assert "| **this model** | 53.0 (52.0 to 54.0) | 29.0 (28.0 to 30.0) |" in text
    assert "| base model | 31.0 (30.0 to 32.0) |" in text
    assert "| first three turns | 30.0 (29.0 to 31.0) |" in text
    assert "819 examples of the test split" in text and "95 % bootstrap interval" in text
    revision = "0123456789abcdef0123456789abcdef01234567"
    assert (
        f"vllm serve HuggingFaceTB/SmolLM2-135M-Instruct --revision {revision} --enable-lora --max-lora-rank 16 "
        "--lora-modules cookies=cookies"
    ) in text
    assert "kubectl summarizer promote cookies" in text
    assert "> Summarize the following dialogue in one or two sentences." in text
    assert "2.310 at first, 1.420 at the end, 1.510 on validation" in text
    assert "cc-by-nc-nd-4.0" in text and "research only" in text
    assert "Built with Llama" not in text


def test_rank_that_vllm_has_not_is_served_with_the_next() -> None:
    s = subject()
    s.result["adapter"]["rank"] = 4
    assert "--max-lora-rank 8 " in card.render(s)


def test_merged_model_is_no_adapter() -> None:
    text = card.render(subject(merged=True))
    data = ModelCard(text).data.to_dict()
    assert data["library_name"] == "transformers" and data["base_model_relation"] == "finetune"
    assert not [tag for tag in data["tags"] if "lora" in tag or "adapter" in tag]
    assert "vllm serve team/cookies --served-model-name cookies" in text and "lora-modules" not in text


def test_card_says_nothing_of_places_on_the_volume() -> None:
    s = subject()
    spec = dataclasses.replace(s.spec, model=Model("/workspace/secret-base"), data=Data("gs://secret-bucket/d.jsonl"))
    s = dataclasses.replace(s, spec=spec)
    s.result["model"] = {"id": "/workspace/secret-base", "revision": ""}
    s.result["data"]["uri"] = "gs://secret-bucket/d.jsonl"
    text = card.render(s)
    assert "secret" not in text
    data = ModelCard(text).data.to_dict()
    assert "base_model" not in data and "datasets" not in data and "language" not in data


def test_run_that_was_not_judged_claims_nothing() -> None:
    s = subject()
    del s.result["evaluation"]
    text = card.render(s)
    assert "Not judged." in text and "model-index" not in text and "rouge" not in text


@pytest.mark.parametrize(
    ("uri", "dataset"),
    [
        ("samsum", "knkarthick/samsum"),
        ("hf://datasets/org/name/data/train.jsonl", "org/name"),
        ("hf://datasets/org/name@v1/data", "org/name"),
        ("s3://bucket/key", ""),
        ("/data", ""),
    ],
)
def test_dataset_id(uri: str, dataset: str) -> None:
    assert card.dataset_id(uri) == dataset


@pytest.mark.parametrize(
    ("licence", "restricted"),
    [
        ("cc-by-nc-nd-4.0", True),
        ("CC BY-NC-SA 4.0", True),
        ("cc-by-nd-3.0", True),
        ("Creative Commons NonCommercial", True),
        ("apache-2.0", False),
        ("cc-by-sa-4.0", False),
        ("", False),
        ("nda-free", False),
    ],
)
def test_restricted_data_is_not_made_public(licence: str, restricted: bool) -> None:
    licences.check_data(licence, public=False, accepted=False)
    licences.check_data(licence, public=True, accepted=True)
    if restricted:
        with pytest.raises(RefusedError, match="restricts") as error:
            licences.check_data(licence, public=True, accepted=False)
        assert "acceptDataLicence: true" in error.value.next
    else:
        licences.check_data(licence, public=True, accepted=False)


@pytest.mark.parametrize(
    ("base", "licence", "llama"),
    [
        ("meta-llama/Llama-3.2-3B-Instruct", "llama3.2", True),
        ("meta-llama/Llama-3.2-3B-Instruct", "", True),
        ("someone/derived", "llama3.1", True),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "apache-2.0", False),
        ("mistralai/Mistral-7B-Instruct-v0.3", "", False),
        ("openlm-research/open_llama_3b", "apache-2.0", False),
    ],
)
def test_llama_licence_decides_on_the_name(base: str, licence: str, llama: bool) -> None:
    licences.check_name("team/Llama-3.2-summarizer", base, licence)
    if not llama:
        licences.check_name("team/summarizer", base, licence)
        return
    with pytest.raises(RefusedError, match="begin with Llama") as error:
        licences.check_name("team/summarizer", base, licence)
    assert error.value.next == "name it team/Llama-summarizer"


def test_llama_card_says_what_the_licence_wants() -> None:
    s = subject(repo="team/Llama-cookies", licence=Licence("llama3.2"))
    s = dataclasses.replace(s, spec=dataclasses.replace(s.spec, model=Model("meta-llama/Llama-3.2-3B-Instruct")))
    text = card.render(s)
    assert "\nBuilt with Llama\n" in text and "Copyright (c) Meta Platforms, Inc. All Rights Reserved." in text


def test_licence_is_read_from_the_card_beside_the_base(tmp_path: pathlib.Path) -> None:
    assert licences.of_directory(tmp_path) == Licence()
    (tmp_path / "README.md").write_text(
        "---\nlicense: other\nlicense_name: gemma-x\nlicense_link: LICENSE\n---\ntext\n"
    )
    found = licences.of_directory(tmp_path)
    assert found == Licence("other", "gemma-x", "LICENSE") and found.name == "gemma-x"
    data = ModelCard(card.render(subject(licence=found))).data.to_dict()
    assert (data["license"], data["license_name"]) == ("other", "gemma-x")
    for name in ("LICENSE", "USE_POLICY.md", "config.json"):
        (tmp_path / name).write_text("x")
    assert [path.name for path in licences.files(tmp_path)] == ["LICENSE", "USE_POLICY.md"]

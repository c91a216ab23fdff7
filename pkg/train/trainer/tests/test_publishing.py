"""Publishing, to the Hub stand-in by the Hub's own client."""

import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from conftest import Heard
from hubserver import ALLOWED, DENIED, HubServer
from huggingface_hub import HfApi, ModelCard, constants

import judged
from summarizer_trainer import adapter, publishing, spec
from summarizer_trainer.errors import RefusedError, TrainerError
from summarizer_trainer.publishing import upload
from summarizer_trainer.spec import Model

FORMATS = pathlib.Path(__file__).parents[2] / "testdata" / "formats"
BASE = "org/tiny"
Publish = Callable[..., dict[str, Any]]


@pytest.fixture
def run(
    hub: HubServer,
    heard: Heard,
    tiny_llama: pathlib.Path,
    tiny_data: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> judged.Run:
    monkeypatch.setenv("HF_TOKEN", ALLOWED)
    # The stand-in has no Xet storage, as its own documentation says.
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("summarizer_trainer.hub._wait", lambda error, attempt: 0.0)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.add(BASE, {"README.md": "---\nlicense: apache-2.0\n---\n"}, commit="0" * 40)
    return judged.judged_run(tmp_path / "volume", tiny_llama, tiny_data)


@pytest.fixture
def publish(run: judged.Run, heard: Heard, tmp_path: pathlib.Path) -> Publish:
    def call(**request: Any) -> dict[str, Any]:
        path = tmp_path / "publish.yaml"
        path.write_text(yaml.safe_dump({"repo": "ann/cookies", **request}))
        return publishing.run(run[0], run[1], heard.events, path)

    return call


def uploads(hub: HubServer) -> int:
    """How often the bytes of an LFS file were sent."""
    return sum("PUT /" in line and "/settings" not in line for line in hub.requests())


def test_the_plugins_orders_are_read() -> None:
    request = spec.build(upload.Publish, spec.read_yaml(FORMATS / "publish.yaml"), "publish.yaml")
    assert request == upload.Publish("team/cookies", True, True, "v1", "First", True)


def test_adapter_is_published_privately_with_card_and_tokenizer(
    publish: Publish, run: judged.Run, heard: Heard, hub: HubServer, tmp_path: pathlib.Path
) -> None:
    _, layout, prepared = run
    published = publish()
    api = HfApi(endpoint=hub.url, token=ALLOWED)
    info = api.model_info("ann/cookies")
    assert info.private and info.sha == published["revision"]
    url = f"{hub.url}/ann/cookies/commit/{info.sha}"
    assert published == {"repo": "ann/cookies", "revision": info.sha, "url": url, "private": True, "merged": False}
    (event,) = heard.of("published")
    assert {key: event[key] for key in published} == published
    assert heard.kept["published.json"] == published

    files = set(api.list_repo_files("ann/cookies")) - {".gitattributes"}
    want = {adapter.CONFIG, adapter.WEIGHTS, "README.md", "tokenizer.json", "tokenizer_config.json"}
    assert want <= files <= {*want, "chat_template.jinja", "special_tokens_map.json"}
    there = pathlib.Path(api.snapshot_download("ann/cookies", local_dir=tmp_path / "there"))
    assert (there / adapter.WEIGHTS).read_bytes() == (layout.adapter / adapter.WEIGHTS).read_bytes()
    config = json.loads((there / adapter.CONFIG).read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == (BASE, "0" * 40)
    # What a server would download is what vLLM takes.
    assert adapter.check(there, pathlib.Path(prepared.model)) == adapter.read(layout.adapter)
    assert ModelCard.load(there / "README.md").data.license == "apache-2.0"


def test_again_is_no_commit_and_no_upload(publish: Publish, hub: HubServer) -> None:
    first = publish()
    before = uploads(hub)
    assert before > 0
    assert publish() == first
    assert uploads(hub) == before


def test_only_what_changed_is_sent(publish: Publish, run: judged.Run, hub: HubServer) -> None:
    first = publish()
    before = uploads(hub)
    result = json.loads(run[1].result.read_text())
    result["evaluation"]["systems"]["tuned"]["rouge1"] = [0.6, 0.5, 0.7]
    run[1].result.write_text(json.dumps(result))
    second = publish(message="Better figures")
    assert second["revision"] != first["revision"]
    assert uploads(hub) == before, "the weights are there already"


def test_merged_model_replaces_the_adapter_and_back(
    publish: Publish, run: judged.Run, heard: Heard, hub: HubServer, tmp_path: pathlib.Path
) -> None:
    from transformers import AutoModelForCausalLM

    publish()
    published = publish(merged=True)
    api = HfApi(endpoint=hub.url, token=ALLOWED)
    files = set(api.list_repo_files("ann/cookies"))
    assert heard.kept["published.json"] != published == heard.kept["merged.json"]
    assert published["merged"] and {"model.safetensors", "config.json", "tokenizer.json"} <= files
    assert not files & {adapter.CONFIG, adapter.WEIGHTS}, "a loader would take it for an adapter"
    there = api.snapshot_download("ann/cookies", local_dir=tmp_path / "there")
    assert AutoModelForCausalLM.from_pretrained(there).config.hidden_size == 128
    assert not (run[1].run / "merged").exists(), "the volume keeps no second copy of the weights"
    publish()
    files = set(api.list_repo_files("ann/cookies"))
    assert adapter.WEIGHTS in files and not files & {"model.safetensors", "config.json", "generation_config.json"}


def test_public_needs_the_right_to_the_data(publish: Publish, hub: HubServer) -> None:
    with pytest.raises(RefusedError, match="under cc-by-nc-nd"):
        publish(public=True)
    assert not [line for line in hub.requests() if "/api/repos/create" in line], "it is refused before anything is made"
    published = publish(public=True, acceptDataLicence=True)
    assert published["private"] is False
    assert not HfApi(endpoint=hub.url, token=False).model_info("ann/cookies").private


def test_private_becomes_public_only_when_asked_for(publish: Publish, hub: HubServer) -> None:
    publish()
    publish(public=True, acceptDataLicence=True)
    assert not HfApi(endpoint=hub.url, token=False).model_info("ann/cookies").private
    with pytest.raises(RefusedError, match="there already and public"):
        publish()


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("step", ["create", "preupload", "batch", "lfs", "commit"])
def test_failure_that_passes_is_waited_out(publish: Publish, hub: HubServer, step: str, status: int) -> None:
    hub.fault(repo="ann/cookies", upload=step, status=status, times=2)
    published = publish()
    assert HfApi(endpoint=hub.url, token=ALLOWED).model_info("ann/cookies").sha == published["revision"]


def test_commit_whose_answer_was_lost_is_not_made_twice(publish: Publish, hub: HubServer) -> None:
    hub.fault(repo="ann/cookies", upload="commit", loseAnswer=True, times=1)
    published = publish()
    commits = [line for line in hub.requests() if "POST /api/models/ann/cookies/commit/main" in line]
    assert len(commits) == 1
    assert HfApi(endpoint=hub.url, token=ALLOWED).model_info("ann/cookies").sha == published["revision"]


def test_hub_that_stays_away_is_a_failure_to_try_again(publish: Publish, hub: HubServer) -> None:
    hub.fault(repo="ann/cookies", upload="commit", status=503)
    with pytest.raises(TrainerError) as error:
        publish()
    assert error.value.exit_code == 1
    hub.heal()
    before = uploads(hub)
    publish()
    assert uploads(hub) == before, "what had been sent is not sent again"


@pytest.mark.parametrize(
    ("token", "request_", "status", "hint"),
    [
        (None, {}, "401, there is no HF_TOKEN", "settings/tokens"),
        ("hf_wrong", {}, "401, the token in .* is not valid", "settings/tokens"),
        (DENIED, {}, "403, .* may not write there", "may write to ann"),
        (ALLOWED, {"repo": "other/cookies"}, "403, .* may not write there", "may write to other"),
        (ALLOWED, {"repo": "cookies"}, "NAMESPACE/NAME", ""),
        (ALLOWED, {"repo": "ann/.."}, "no id of the Hub|does not take it", ""),
    ],
)
def test_no_access_is_refused_with_what_to_do(
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
    token: str | None,
    request_: dict[str, Any],
    status: str,
    hint: str,
) -> None:
    monkeypatch.delenv("HF_TOKEN") if token is None else monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(RefusedError, match=status) as error:
        publish(**request_)
    assert hint in error.value.next
    assert "hf_wrong" not in str(error.value)


def test_adapter_that_was_not_judged_is_not_published(publish: Publish, run: judged.Run) -> None:
    _, layout, prepared = run
    judged.make_adapter(pathlib.Path(prepared.model), layout.adapter, r=4)
    with pytest.raises(RefusedError, match="not the one that was judged"):
        publish()


def test_run_without_a_result_is_not_published(publish: Publish, run: judged.Run) -> None:
    run[1].result.unlink()
    with pytest.raises(RefusedError, match="no result to publish"):
        publish()


def test_name_of_a_tuned_llama(
    publish: Publish, run: judged.Run, heard: Heard, hub: HubServer, tmp_path: pathlib.Path
) -> None:
    run[0].model = Model("meta-llama/Llama-3.2-1B-Instruct")
    hub.add(run[0].model.id, {"README.md": "---\nlicense: llama3.2\n---\n"}, commit="0" * 40)
    with pytest.raises(RefusedError, match="begin with Llama"):
        publish()
    publish(repo="ann/Llama-cookies")


def test_base_that_went_from_the_hub_has_no_known_licence(
    publish: Publish, run: judged.Run, hub: HubServer, tmp_path: pathlib.Path
) -> None:
    run[0].model = Model("org/gone")
    publish()
    card = HfApi(endpoint=hub.url, token=ALLOWED).hf_hub_download("ann/cookies", "README.md", local_dir=tmp_path)
    assert "license" not in ModelCard.load(card).data.to_dict()


def test_unknown_field_is_refused(publish: Publish) -> None:
    with pytest.raises(RefusedError, match=r"publish.yaml: unknown field visibility"):
        publish(visibility="public")


def test_prepared_is_needed(publish: Publish, run: judged.Run) -> None:
    run[1].prepared.unlink()
    with pytest.raises(TrainerError, match="prepare"):
        publish()

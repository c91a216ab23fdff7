"""The stage `prepare`, with the Hub stand-in and tiny models: what is refused, repeated, resumed and written."""

import dataclasses
import json
import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from apiserver import ApiServer
from conftest import Heard
from hubserver import ALLOWED, COMMIT, DENIED, HubServer

import tiny
from summarizer_trainer import hub as hubs
from summarizer_trainer import preparation, spec
from summarizer_trainer.errors import DiskFullError, RefusedError, TrainerError
from summarizer_trainer.layout import Layout, Prepared
from summarizer_trainer.preparation import weights

Run = Callable[..., Prepared]


@pytest.fixture
def prepare(write_run: Callable[..., pathlib.Path], heard: Heard, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Prepares a model and data, and returns prepared.json."""
    # The waits between tries are those of the stand-in's patience, not ours.
    monkeypatch.setattr(hubs, "LONGEST_WAIT_SECONDS", 0.05)

    def run(model: pathlib.Path | str, data: pathlib.Path | str, /, **sections: Any) -> Prepared:
        run = spec.load(write_run(model, data, **sections))
        layout = Layout(run)
        preparation.run(run, layout, heard.events)
        return Prepared.load(layout.prepared)

    return run


def test_model_of_the_hub(
    prepare: Run, hub: HubServer, tiny_llama: pathlib.Path, tiny_data: pathlib.Path, heard: Heard
) -> None:
    hub.add("org/tiny", tiny_llama)
    prepared = prepare("org/tiny", tiny_data)
    model = pathlib.Path(prepared.model)
    assert prepared.model_revision == COMMIT
    assert model.parts[-3:] == ("models", "org--tiny", COMMIT)
    expected = {path.name: path.stat().st_size for path in tiny_llama.iterdir()}
    found = {path.name: path.stat().st_size for path in model.iterdir() if path.name != weights.MARKER}
    assert found == expected
    assert json.loads((model / weights.MARKER).read_text())["files"] == expected
    assert [event["phase"] for event in heard.of("phase")] == ["environment", "access", "weights", "data"]
    last = [event for event in heard.of("progress") if event["phase"] == "weights"][-1]
    assert last["done"] == last["total"] == sum(expected.values())
    assert heard.kept == {"prepared.json": dataclasses.asdict(prepared)}
    assert not list(model.parents[2].rglob("*.part"))


def test_what_is_done_is_not_done_again_even_without_a_hub(
    prepare: Run, hub: HubServer, tiny_llama: pathlib.Path, tiny_data: pathlib.Path, heard: Heard
) -> None:
    hub.add("org/tiny", tiny_llama)
    first = prepare("org/tiny", tiny_data)
    hub.close()
    assert prepare("org/tiny", tiny_data) == first
    data = heard.of("data")
    assert len(data) == 2 and data[0]["splits"] == data[1]["splits"]


def test_a_branch_that_moves_does_not_change_a_run(
    prepare: Run, hub: HubServer, tiny_llama: pathlib.Path, tiny_mistral: pathlib.Path, tiny_data: pathlib.Path
) -> None:
    data = "hf://datasets/org/chats"
    hub.add("org/tiny", tiny_llama)
    hub.add("datasets/org/chats", tiny_data)
    first = prepare("org/tiny", data)
    assert (first.model_revision, first.data_revision) == (COMMIT, COMMIT)
    hub.add("org/tiny", tiny_mistral, commit="f" * 40)
    hub.add("datasets/org/chats", {"train.jsonl": "no data any more"}, commit="e" * 40)
    # Something was lost: it comes back from the commits that the run began with.
    (pathlib.Path(first.model) / "model.safetensors").unlink()
    (pathlib.Path(first.data) / "test.jsonl").unlink()
    again = prepare("org/tiny", data)
    assert again == first
    assert weights.is_complete(pathlib.Path(again.model))
    other = prepare("org/tiny", tiny_data, prompt={"instruction": "Sum up."})
    assert other.model_revision == "f" * 40


def test_pinned_commit_that_is_there_needs_no_hub_for_another_run(
    prepare: Run, hub: HubServer, tiny_llama: pathlib.Path, tiny_data: pathlib.Path
) -> None:
    hub.add("org/tiny", tiny_llama)
    pinned = {"id": "org/tiny", "revision": COMMIT}
    first = prepare("org/tiny", tiny_data, model=pinned, name="one")
    hub.close()
    assert prepare("org/tiny", tiny_data, model=pinned, name="two").model == first.model


def test_gated_model(
    prepare: Run,
    hub: HubServer,
    tiny_llama: pathlib.Path,
    tiny_data: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    heard: Heard,
) -> None:
    hub.add("org/gated", tiny_llama, gated=True)
    with pytest.raises(RefusedError, match="401, it is gated, and there is no HF_TOKEN") as refused:
        prepare("org/gated", tiny_data)
    assert "accept the licence at https://huggingface.co/org/gated" in refused.value.next
    monkeypatch.setenv("HF_TOKEN", DENIED)
    monkeypatch.setenv("SUMMARIZER_HF_SECRET", "hf-secret")
    with pytest.raises(RefusedError, match=r"403, the licence was not accepted by .* Secret hf-secret") as refused:
        prepare("org/gated", tiny_data)
    assert refused.value.next == "accept it at https://huggingface.co/org/gated"
    monkeypatch.setenv("HF_TOKEN", "hf_unknown")
    with pytest.raises(RefusedError, match="401, the token in Secret hf-secret is not valid"):
        prepare("org/gated", tiny_data)
    assert heard.warnings() == "", "what will not pass is not tried again"
    monkeypatch.setenv("HF_TOKEN", ALLOWED)
    assert prepare("org/gated", tiny_data).model_revision == COMMIT


def test_token_of_the_home_directory_is_not_used(
    prepare: Run,
    hub: HubServer,
    tiny_llama: pathlib.Path,
    tiny_data: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
) -> None:
    hub.add("org/gated", tiny_llama, gated=True)
    (tmp_path / "token").write_text(ALLOWED)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    with pytest.raises(RefusedError, match="there is no HF_TOKEN"):
        prepare("org/gated", tiny_data)


def test_token_is_written_nowhere(
    prepare: Run,
    hub: HubServer,
    tiny_llama: pathlib.Path,
    tiny_data: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: pathlib.Path,
) -> None:
    hub.add("org/gated", tiny_llama, gated=True)
    hub.fault(repo="org/gated", status=503, times=2)
    monkeypatch.setenv("HF_TOKEN", ALLOWED)
    prepare("org/gated", tiny_data)
    out = capsys.readouterr()
    assert ALLOWED not in out.out + out.err
    volume = tmp_path / "volume"
    assert all(ALLOWED.encode() not in path.read_bytes() for path in volume.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("org/missing", "model org/missing: 401, there is none of this name on http"),
        ("a/b/c", "this is no id of the Hub"),
        ("org/adapter", "this is an adapter, not a model"),
        ("org/pickle", "needed as safetensors, and it has only pytorch_model.bin"),
        ("org/empty", "no weights at all"),
        ("org/nothing", "it has no config.json"),
        ("org/code", "it needs Python code of its own, which is never run here"),
        ("org/unknown", "does not know its model_type 'warp'"),
        ("org/bert", "BertForMaskedLM is none of the causal language models of transformers 5"),
        ("org/quantized", r"its weights are quantized \(gptq\)"),
        ("org/broken", "its config.json cannot be read"),
    ],
)
def test_models_that_are_refused_before_anything_is_fetched(
    prepare: Run, hub: HubServer, tiny_data: pathlib.Path, model: str, message: str
) -> None:
    llama = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
    configs: dict[str, dict[str, Any]] = {
        "code": {"model_type": "warp", "architectures": ["WarpLM"], "auto_map": {"AutoModelForCausalLM": "warp.LM"}},
        "unknown": {"model_type": "warp", "architectures": ["WarpForCausalLM"]},
        "bert": {"model_type": "bert", "architectures": ["BertForMaskedLM"]},
        "quantized": {**llama, "quantization_config": {"quant_method": "gptq"}},
    }
    for name, config in configs.items():
        hub.add(f"org/{name}", {"config.json": json.dumps(config), "model.safetensors": "x"})
    hub.add("org/broken", {"config.json": "{", "model.safetensors": "x"})
    hub.add("org/adapter", {"adapter_config.json": "{}", "adapter_model.safetensors": "x"})
    hub.add("org/pickle", {"config.json": json.dumps(llama), "pytorch_model.bin": "x"})
    hub.add("org/empty", {"config.json": json.dumps(llama)})
    hub.add("org/nothing", {"README.md": "nothing"})
    with pytest.raises(RefusedError, match=message):
        prepare(model, tiny_data)
    assert not [line for line in hub.requests() if "safetensors" in line or "pytorch_model" in line]


def test_code_beside_a_known_architecture_is_not_needed(
    prepare: Run, hub: HubServer, tiny_llama: pathlib.Path, tiny_data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    copy = shutil.copytree(tiny_llama, tmp_path / "copy")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModelForCausalLM": "modeling.Evil"}}))
    (copy / "modeling.py").write_text("raise SystemExit('this was run')")
    hub.add("org/tiny", copy)
    assert prepare("org/tiny", tiny_data).model_revision == COMMIT


def test_ignored_files_are_not_fetched_and_cannot_be_the_weights(
    prepare: Run, hub: HubServer, tiny_llama: pathlib.Path, tiny_data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    copy = shutil.copytree(tiny_llama, tmp_path / "copy")
    for name in ("consolidated.safetensors", "model.gguf", "pytorch_model.bin", "original/params.json"):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text("again")
    hub.add("org/tiny", copy)
    model = pathlib.Path(prepare("org/tiny", tiny_data).model)
    assert {path.name for path in model.iterdir()} == {path.name for path in tiny_llama.iterdir()} | {weights.MARKER}
    with pytest.raises(RefusedError, match=r"ignorePatterns leaves no weights of .*consolidated.safetensors"):
        prepare("org/tiny", tiny_data, model={"id": "org/tiny", "ignorePatterns": ["*.safetensors"]})


def test_broken_downloads_are_taken_up_again(
    prepare: Run, hub: HubServer, tiny_llama: pathlib.Path, tiny_data: pathlib.Path, heard: Heard
) -> None:
    hub.add("org/tiny", tiny_llama)
    hub.fault(repo="org/tiny", file="*.safetensors", breakAfterBytes=50_000, times=2)
    hub.fault(repo="org/tiny", file="tokenizer.json", status=503, times=3)
    model = pathlib.Path(prepare("org/tiny", tiny_data).model)
    assert (model / "model.safetensors").read_bytes() == (tiny_llama / "model.safetensors").read_bytes()
    assert heard.warnings().count("503; try") == 3


def test_download_that_does_not_end_well_keeps_what_has_come(
    prepare: Run, hub: HubServer, tiny_llama: pathlib.Path, tiny_data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    hub.add("org/tiny", tiny_llama)
    hub.fault(repo="org/tiny", file="*.safetensors", status=500)
    with pytest.raises(TrainerError, match="answered 500") as failed:
        prepare("org/tiny", tiny_data)
    assert failed.value.exit_code == 1, "another try may mend it"
    final = tmp_path / "volume" / "models" / "org--tiny" / COMMIT
    assert not final.exists(), "half a model must not look like one"
    hub.heal()
    before = len(hub.requests())
    prepare("org/tiny", tiny_data)
    gets = [line for line in hub.requests()[before:] if " GET " in line and "/resolve/" in line]
    assert {line.split("/resolve/")[1].split("/")[1].split(" ")[0] for line in gets} == {
        "config.json",
        "model.safetensors",
    }


def test_file_of_another_size_is_fetched_again(
    prepare: Run, hub: HubServer, tiny_llama: pathlib.Path, tiny_data: pathlib.Path
) -> None:
    hub.add("org/tiny", tiny_llama)
    model = pathlib.Path(prepare("org/tiny", tiny_data).model)
    with (model / "model.safetensors").open("r+b") as file:
        file.truncate(100)
    before = len(hub.requests())
    prepare("org/tiny", tiny_data)
    assert (model / "model.safetensors").read_bytes() == (tiny_llama / "model.safetensors").read_bytes()
    assert not [line for line in hub.requests()[before:] if " GET " in line and "/tokenizer.json" in line]


def test_room_is_checked_before_the_weights_are_fetched(
    prepare: Run,
    hub: HubServer,
    tiny_llama: pathlib.Path,
    tiny_data: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub.add("org/tiny", tiny_llama)
    # No disk of a test machine is too small for a tiny model: what is kept back is made too large instead.
    monkeypatch.setattr(weights, "RESERVE_BYTES", 1 << 60)
    with pytest.raises(DiskFullError, match=r"1073741824\.0 GiB are needed on the volume, and \d+\.\d GiB are free"):
        prepare("org/tiny", tiny_data)
    assert not [line for line in hub.requests() if "model.safetensors" in line]


def test_hub_that_cannot_be_reached(
    prepare: Run, tiny_data: pathlib.Path, monkeypatch: pytest.MonkeyPatch, heard: Heard
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(TrainerError, match=r"http://127.0.0.1:9 cannot be reached") as failed:
        prepare("org/tiny", tiny_data)
    assert failed.value.exit_code == 1
    assert "HF_ENDPOINT" in failed.value.next
    assert len(heard.of("warning")) == hubs.TRIES - 1


def test_model_in_a_directory_is_used_where_it_is(
    prepare: Run, tiny_mistral: pathlib.Path, tiny_data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    prepared = prepare(tiny_mistral, tiny_data)
    assert (prepared.model, prepared.model_revision) == (str(tiny_mistral), "")
    assert not (tmp_path / "volume" / "models").exists()


def test_directory_that_is_not_there(prepare: Run, tiny_data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(RefusedError, match=r"model.id: there is no directory"):
        prepare(tmp_path / "nowhere", tiny_data)


def test_data_is_asked_for_before_the_weights_are_fetched(
    prepare: Run, hub: HubServer, tiny_llama: pathlib.Path
) -> None:
    hub.add("org/tiny", tiny_llama)
    hub.add("datasets/org/closed", {"train.jsonl": "{}"}, gated=True)
    with pytest.raises(RefusedError, match="dataset org/closed: 401, it is gated") as refused:
        prepare("org/tiny", "hf://datasets/org/closed")
    assert "https://huggingface.co/datasets/org/closed" in refused.value.next
    assert not [line for line in hub.requests() if "model.safetensors" in line]


def test_training_is_started_when_all_is_there(
    prepare: Run,
    tiny_llama: pathlib.Path,
    tiny_data: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = ApiServer(tmp_path / "api")
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    job = "/apis/batch/v1/namespaces/ml/jobs/train-tiny"
    server.objects[job] = {"spec": {"suspend": True, "parallelism": 1}}
    cluster = {
        "namespace": "ml",
        "record": "train-tiny",
        "start": {"path": job, "patch": {"spec": {"suspend": False}}},
    }
    prepare(tiny_llama, tiny_data, cluster=cluster)
    assert server.objects[job] == {"spec": {"suspend": False, "parallelism": 1}}
    del server.objects[job]
    with pytest.raises(RefusedError, match=r"the training cannot be started: .*404") as refused:
        prepare(tiny_llama, tiny_data, cluster=cluster)
    assert "the run was deleted" in refused.value.next
    server.close()


def test_one_process_at_a_time(
    prepare: Run, tiny_llama: pathlib.Path, tiny_data: pathlib.Path, tmp_path: pathlib.Path, heard: Heard
) -> None:
    import fcntl
    import threading

    volume = tmp_path / "volume"
    volume.mkdir()
    other = (volume / ".prepare.lock").open("w")
    fcntl.flock(other, fcntl.LOCK_EX)
    threading.Timer(1.0, other.close).start()
    prepare(tiny_llama, tiny_data)
    assert "another process prepares" in heard.warnings()
    assert other.closed


def test_data_that_changed_is_prepared_anew(prepare: Run, tiny_llama: pathlib.Path, tmp_path: pathlib.Path) -> None:
    data = tmp_path / "mine"
    tiny.write_jsonl(data / "train.jsonl", tiny.rows(60))
    first = prepare(tiny_llama, data, name="one")
    tiny.write_jsonl(data / "train.jsonl", tiny.rows(61))
    assert prepare(tiny_llama, data, name="one") == first, "a run keeps the data that it began with"
    second = prepare(tiny_llama, data, name="two")
    assert second.data != first.data and second.data_sha256 != first.data_sha256
    assert os.path.isdir(first.data)

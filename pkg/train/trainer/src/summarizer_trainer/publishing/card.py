"""The model card: what the model is, how it was made and judged, and how it is served."""

from dataclasses import dataclass
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from ..adapter import MAX_RANKS
from ..spec import Spec
from .licences import Licence, is_llama, restricted

_NAMES = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rougeLsum": "ROUGE-Lsum"}
_SYSTEMS = {"tuned": "**this model**", "base": "base model", "lead3": "first three turns"}


@dataclass(frozen=True)
class Subject:
    """What a card is about."""

    repo: str
    spec: Spec
    result: dict[str, Any]
    """The run's result.json."""
    licence: Licence
    """Of the base model."""
    merged: bool
    """Whether the repository holds a whole model, or an adapter."""


def render(subject: Subject) -> str:
    """README.md: YAML front matter as the Hub reads it, and the text."""
    return f"---\n{_front_matter(subject).to_yaml()}\n---\n\n{_text(subject)}"


def dataset_id(uri: str) -> str:
    """The Hub's id of the data, "" for data that is not there."""
    if uri == "samsum":
        return "knkarthick/samsum"
    prefix = "hf://datasets/"
    return "/".join(uri.removeprefix(prefix).split("@")[0].split("/")[:2]) if uri.startswith(prefix) else ""


def _front_matter(s: Subject) -> ModelCardData:
    base = _base_id(s.spec)
    dataset = dataset_id(s.spec.data.uri)
    tags = ["summarization", "dialogue-summarization", "vllm"]
    if not s.merged:
        tags = ["lora", *tags] + ([f"base_model:adapter:{base}"] if base else [])
    optional = {
        "base_model": base,
        "base_model_relation": ("finetune" if s.merged else "adapter") if base else "",
        "language": "en" if s.spec.data.uri == "samsum" else "",
        "license": s.licence.license,
        "license_name": s.licence.license_name,
        "license_link": s.licence.license_link,
        "datasets": [dataset] if dataset else [],
    }
    return ModelCardData(
        library_name="transformers" if s.merged else "peft",
        # A causal model with a chat template: the Hub's summarization pipeline is for encoder-decoders.
        pipeline_tag="text-generation",
        tags=tags,
        metrics=["rouge"] if "evaluation" in s.result else None,
        model_name=s.repo.rpartition("/")[2],
        eval_results=_eval_results(s, dataset),
        **{key: value for key, value in optional.items() if value},
    )


def _eval_results(s: Subject, dataset: str) -> list[EvalResult] | None:
    evaluation = s.result.get("evaluation")
    if evaluation is None:
        return None
    return [
        EvalResult(
            task_type="summarization",
            task_name="Dialogue summarization",
            dataset_type=dataset or "private-dialogues",
            dataset_name=dataset or "The owner's dialogues",
            dataset_split=evaluation["split"],
            dataset_revision=s.result["data"].get("revision") or None,
            metric_type="rouge",
            metric_name=name,
            metric_value=round(100 * evaluation["systems"]["tuned"][key][0], 2),
        )
        for key, name in _NAMES.items()
    ]


def _text(s: Subject) -> str:
    name = s.repo.rpartition("/")[2]
    base = _base_link(s)
    kind = "merged into the weights of" if s.merged else "an adapter for"
    llama = is_llama(s.spec.model.id, s.licence.name)
    parts = [
        f"# {name}",
        "Built with Llama" if llama else "",
        f"Summarizes dialogues. Trained with LoRA, {kind} {base}.",
        _results(s),
        _serving(s),
        _training(s),
        _limits(s),
        _licences(s, llama),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _results(s: Subject) -> str:
    evaluation = s.result.get("evaluation")
    if evaluation is None:
        return "## Results\n\nNot judged."
    rows = [
        f"| | {' | '.join(_NAMES.values())} | length | cut off | names |",
        "|---|" + "---|" * (len(_NAMES) + 3),
        *(_row(title, evaluation["systems"][system]) for system, title in _SYSTEMS.items()),
    ]
    return "\n".join(
        [
            "## Results",
            "",
            f"{evaluation['examples']} examples of the {evaluation['split']} split, greedy, at most "
            f"{evaluation['maxNewTokens']} new tokens, by {evaluation['engine']}. ROUGE as F1 times 100 "
            f"({evaluation['scorer']}), in brackets the {evaluation['confidence']} % bootstrap interval.",
            "",
            *rows,
            "",
            "Length: words over those of the references. Cut off: share of answers that reached the limit. Names: "
            "share of the references' speakers that are named.",
        ]
    )


def _row(title: str, scores: dict[str, Any]) -> str:
    intervals = [[100 * bound for bound in scores[metric]] for metric in _NAMES]
    cells = [f"{mean:.1f} ({low:.1f} to {high:.1f})" for mean, low, high in intervals]
    names = f"{100 * scores['nameRecall']:.0f} %" if "nameRecall" in scores else ""
    return f"| {title} | {' | '.join(cells)} | {scores['lengthRatio']:.2f} | {100 * scores['cutOff']:.1f} % | {names} |"


def _serving(s: Subject) -> str:
    name = s.repo.rpartition("/")[2]
    rank = next(r for r in MAX_RANKS if r >= s.result["adapter"]["rank"])
    if s.merged:
        command = f"vllm serve {s.repo} --served-model-name {name}"
    else:
        download = f"hf download {s.repo} --local-dir {name}\n"
        revision = s.result["model"]["revision"]
        base = (_base_id(s.spec) or "BASE-MODEL") + (f" --revision {revision}" if revision else "")
        command = f"{download}vllm serve {base} --enable-lora --max-lora-rank {rank} --lora-modules {name}={name}"
    return "\n".join(
        [
            "## Serving",
            "",
            "```",
            command,
            "```",
            "",
            "or, on a Kubernetes cluster where the run is, `kubectl summarizer promote " + s.spec.name + "`.",
            "",
            "Ask the chat endpoint at temperature 0, with this text before the dialogue and a blank line between:",
            "",
            f"> {s.spec.prompt.instruction or '(no instruction: the dialogue alone)'}",
            "",
            "A chat template that writes the date was trained with "
            f'`"chat_template_kwargs": {{"date_string": "{s.spec.prompt.dateString}"}}`.',
        ]
    )


def _training(s: Subject) -> str:
    training, data, lora, t = s.result["training"], s.result["data"], s.spec.lora, s.spec.training
    quantized = "QLoRA (nf4)" if t.quantization else "LoRA over bfloat16"
    rows = {
        "base model": _base_link(s) + (f" at {revision}" if (revision := s.result["model"]["revision"]) else ""),
        "data": f"{data['train']} training, {data['validation']} validation and {data['test']} test examples"
        + (f", {dataset}" if (dataset := dataset_id(s.spec.data.uri)) else "")
        + (f" at {data['revision']}" if data.get("revision") else ""),
        "method": f"{quantized}, rank {lora.rank}, alpha {lora.alpha}, dropout {lora.dropout:g}, all linear layers"
        + (", rsLoRA" if lora.rslora else ""),
        "optimization": f"{training['steps']} steps of {t.effectiveBatchSize} examples, {training['epochs']:g} epochs, "
        f"learning rate {t.learningRate:g} with cosine decay, seed {t.seed}",
        "loss": f"{training['firstLoss']:.3f} at first, {training['finalLoss']:.3f} at the end"
        + (f", {training['evalLoss']:.3f} on validation" if "evalLoss" in training else ""),
        "device": f"{training['device']}, {training['tokensPerSecond']:.0f} tokens/s, "
        f"{training['peakMemoryGiB']:.1f} GiB at most, {training['seconds']:.0f} s",
        "SHA-256": f"adapter {s.result['adapter']['sha256']}, data {data['sha256']}, program {s.result['code']}",
    }
    versions = ", ".join(f"{name} {version}" for name, version in s.result.get("versions", {}).items())
    return "## Training\n\n| | |\n|---|---|\n" + "\n".join(
        f"| {key} | {value} |" for key, value in {**rows, "versions": versions}.items() if value
    )


def _limits(s: Subject) -> str:
    return (
        "## Intended use and limits\n\n"
        "For short summaries of dialogues like those it was trained on. It can leave out what matters, name the wrong "
        "speaker, or state what nobody said; ROUGE counts shared words and sees none of that. Have a person check "
        "summaries on which anything depends. Other languages, longer texts and other kinds of text were not judged."
    )


def _licences(s: Subject, llama: bool) -> str:
    lines = [f"The base model is under {s.licence.name or 'a licence of its own: see its card'}."]
    licence = s.result["data"].get("license")
    if licence:
        lines.append(f"The training data is under {licence}.")
        if restricted(licence):
            lines.append(
                "That licence restricts commercial use or derivatives. Whether it extends to weights that were trained "
                "on the data is not settled: treat this model as for research only."
            )
    if llama:
        lines.append(
            f"{s.spec.model.id} is licensed under its Llama Community License, Copyright (c) Meta Platforms, Inc. "
            "All Rights Reserved."
        )
    return "## Licences\n\n" + " ".join(lines)


def _base_id(spec: Spec) -> str:
    """The base's id on the Hub, "" for a directory: its path says nothing elsewhere."""
    return "" if spec.model.id.startswith("/") else spec.model.id


def _base_link(s: Subject) -> str:
    base = _base_id(s.spec)
    return f"[{base}](https://huggingface.co/{base})" if base else "a model that is not on the Hub"

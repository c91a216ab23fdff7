"""run.yaml: what one run is told. The defaults are those of testdata/formats/full.yaml, which the plugin shares."""

import contextlib
import dataclasses
import math
import pathlib
import re
import types
import typing
from dataclasses import dataclass, field
from typing import Any

import yaml

from .errors import RefusedError

VERSION = 1


@dataclass
class Model:
    """The model that is tuned: a Hugging Face id or an absolute directory."""

    id: str
    revision: str = "main"
    ignorePatterns: list[str] = field(
        default_factory=lambda: ["consolidated*", "original/*", "*.gguf", "*.pth", "*.onnx", "*.msgpack", "*.h5"]
    )


@dataclass
class Columns:
    """Names of the two columns of tabular data."""

    dialogue: str = "dialogue"
    summary: str = "summary"


@dataclass
class Limit:
    """Most examples that are taken of each split; 0 takes all."""

    train: int = 0
    validation: int = 0
    test: int = 0


@dataclass
class Data:
    """Where the dialogues and summaries come from; FORMATS.md lists the kinds of `uri`."""

    uri: str = "samsum"
    revision: str = ""
    columns: Columns = field(default_factory=Columns)
    limit: Limit = field(default_factory=Limit)


@dataclass
class Prompt:
    """How a dialogue is put to the model, in training, judging and serving alike."""

    instruction: str = "Summarize the following dialogue in one or two sentences."
    dateString: str = "26 Jul 2024"


@dataclass
class LoRA:
    """The shape of the adapter."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    rslora: bool = False


@dataclass
class Training:
    """Hyper-parameters and device. Zero for maxSteps goes by epochs."""

    device: str = "cuda"
    gpus: int = 1
    epochs: float = 2
    maxSteps: int = 0
    batchSize: int = 4
    effectiveBatchSize: int = 16
    learningRate: float = 2e-4
    warmupRatio: float = 0.03
    weightDecay: float = 0
    maxLength: int = 1024
    seed: int = 42
    quantization: str = ""
    gradientCheckpointing: str = "auto"
    packing: str = "auto"
    attention: str = "auto"
    logSteps: int = 5
    saveSteps: int = 50
    evalSteps: int = 100


@dataclass
class Evaluation:
    """How the adapter is judged."""

    engine: str = "vllm"
    split: str = "test"
    maxNewTokens: int = 128
    batchSize: int = 64
    bootstrapSamples: int = 2000


@dataclass
class WandB:
    """Weights & Biases: mode is auto (online when there is a key), online, offline or off."""

    mode: str = "auto"
    project: str = "summarizer"
    entity: str = ""


@dataclass
class Tracking:
    """Who else is told of the run."""

    wandb: WandB = field(default_factory=WandB)


@dataclass
class Start:
    """The merge patch of the Kubernetes API by which the preparation lets the training begin."""

    path: str
    patch: dict[str, Any]


@dataclass
class Cluster:
    """Where a run in a cluster writes what must outlive its pods."""

    namespace: str
    record: str
    start: Start | None = None


@dataclass
class Spec:
    """One run."""

    version: int
    name: str
    model: Model
    volume: str
    data: Data = field(default_factory=Data)
    prompt: Prompt = field(default_factory=Prompt)
    lora: LoRA = field(default_factory=LoRA)
    training: Training = field(default_factory=Training)
    evaluation: Evaluation = field(default_factory=Evaluation)
    tracking: Tracking = field(default_factory=Tracking)
    cluster: Cluster | None = None


def load(path: pathlib.Path) -> Spec:
    """Reads and checks a run.yaml; raises RefusedError with every field that is wrong."""
    spec = build(Spec, read_yaml(path), "run.yaml")
    wrong = _check(spec)
    if wrong:
        raise RefusedError(f"{path}: " + "; ".join(wrong))
    return typing.cast(Spec, spec)


def read_yaml(path: pathlib.Path) -> Any:
    """The document in a file; raises RefusedError."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RefusedError(f"cannot read {path}: {error}") from error


def build(cls: type[Any], value: Any, file: str, where: str = "") -> Any:
    """Makes a dataclass of a document's mapping, refusing unknown fields and wrong types; `file` is for the message."""
    if not isinstance(value, dict):
        raise RefusedError(f"{file}: {where or 'the document'} must be a mapping, it is {type(value).__name__}")
    hints = typing.get_type_hints(cls)
    prefix = f"{where}." if where else ""
    unknown = sorted(str(key) for key in value if key not in hints)
    if unknown:
        raise RefusedError(f"{file}: unknown field {prefix}{unknown[0]}; known are {', '.join(sorted(hints))}")
    for f in dataclasses.fields(cls):
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING and f.name not in value:
            raise RefusedError(f"{file}: {prefix}{f.name} is missing")
    return cls(**{key: _convert(hints[key], item, file, prefix + key) for key, item in value.items()})


def _convert(hint: Any, value: Any, file: str, where: str) -> Any:
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(arm for arm in typing.get_args(hint) if arm is not type(None))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, file, where)
    plain = typing.get_origin(hint) or hint
    if plain is float and not isinstance(value, bool):
        # PyYAML takes 2e-4, which has no point, for text: YAML 1.1 wants 2.0e-4.
        with contextlib.suppress(TypeError, ValueError):
            value = float(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise RefusedError(f"{file}: {where} must be a finite number, it is {value}")
    if not isinstance(value, plain) or (plain is int and isinstance(value, bool)):
        raise RefusedError(f"{file}: {where} must be {plain.__name__}, it is {value!r}")
    return value


def _check(spec: Spec) -> list[str]:
    """Says what cannot be: each entry names the field, its value and what is allowed."""
    wrong = []
    t = spec.training

    def one_of(where: str, value: str, *allowed: str) -> None:
        if value not in allowed:
            wrong.append(f"{where} is {value!r}: use one of {', '.join(repr(a) for a in allowed)}")

    def at_least(where: str, value: float, least: float) -> None:
        if not value >= least:
            wrong.append(f"{where} is {value}: it must be at least {least}")

    if spec.version != VERSION:
        wrong.append(f"version is {spec.version}: this program reads version {VERSION}")
    if not re.fullmatch(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", spec.name):
        wrong.append(f"name is {spec.name!r}: use at most 40 lower-case letters, digits and dashes, a letter first")
    if not spec.model.id:
        wrong.append("model.id is empty: name a model, such as mistralai/Mistral-7B-Instruct-v0.3")
    if not pathlib.PurePosixPath(spec.volume).is_absolute():
        wrong.append(f"volume is {spec.volume!r}: it must be an absolute directory")
    if spec.data.uri != "samsum" and not spec.data.uri.startswith(
        ("/", "hf://datasets/", "gs://", "s3://", "https://")
    ):
        wrong.append(
            f"data.uri is {spec.data.uri!r}: use samsum, an absolute path, or hf://datasets/, gs://, s3:// or https://"
        )
    for name in ("train", "validation", "test"):
        at_least(f"data.limit.{name}", getattr(spec.data.limit, name), 0)
    one_of("training.device", t.device, "cuda", "cpu")
    one_of("training.quantization", t.quantization, "", "nf4")
    for name in ("gradientCheckpointing", "packing"):
        one_of(f"training.{name}", getattr(t, name), "auto", "on", "off")
    one_of("training.attention", t.attention, "auto", "sdpa", "flash_attention_2", "eager")
    one_of("evaluation.engine", spec.evaluation.engine, "vllm", "transformers", "none")
    one_of("evaluation.split", spec.evaluation.split, "test", "validation")
    one_of("tracking.wandb.mode", spec.tracking.wandb.mode, "auto", "online", "offline", "off")
    for name in ("gpus", "batchSize", "effectiveBatchSize", "logSteps", "saveSteps", "evalSteps"):
        at_least(f"training.{name}", getattr(t, name), 1)
    at_least("training.maxLength", t.maxLength, 16)
    at_least("training.maxSteps", t.maxSteps, 0)
    for where, value in (("training.epochs", t.epochs), ("training.learningRate", t.learningRate)):
        if not value > 0:
            wrong.append(f"{where} is {value}: it must be more than 0")
    if not 0 <= t.warmupRatio < 1:
        wrong.append(f"training.warmupRatio is {t.warmupRatio}: it must be from 0 to less than 1")
    at_least("training.weightDecay", t.weightDecay, 0)
    if not 0 <= t.seed < 2**32:  # NumPy, which is seeded too, takes 32 bits.
        wrong.append(f"training.seed is {t.seed}: it must be from 0 to 4294967295")
    for name in ("maxNewTokens", "batchSize", "bootstrapSamples"):
        at_least(f"evaluation.{name}", getattr(spec.evaluation, name), 1)
    if spec.lora.rank not in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        wrong.append(f"lora.rank is {spec.lora.rank}: vLLM serves powers of two up to 256")
    at_least("lora.alpha", spec.lora.alpha, 1)
    if not 0 <= spec.lora.dropout < 1:
        wrong.append(f"lora.dropout is {spec.lora.dropout}: it must be from 0 to less than 1")
    each = t.batchSize * t.gpus
    if each > 0 and t.effectiveBatchSize % each:
        wrong.append(
            f"training.effectiveBatchSize is {t.effectiveBatchSize}: it must be a multiple of batchSize x gpus, {each}"
        )
    if t.quantization and t.device == "cpu":
        wrong.append("training.quantization nf4 needs a GPU: leave it out with device cpu")
    return wrong

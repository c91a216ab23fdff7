"""Generation by vLLM, with the adapter loaded as the server loads it."""

import io
import os
from typing import Any

# Read when vllm is imported. The engine runs in this process: one process fewer to start and to stop, and a
# signal ends a generation at once. On a CPU the cache must be bounded: vLLM would take most of the machine's memory.
os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")

from tqdm import tqdm
from vllm import LLM
from vllm.lora.request import LoRARequest

from ..adapter import MAX_RANKS
from ..errors import OutOfMemoryError, RefusedError
from .engine import Job, Progress, version
from .predictions import Answer

# How vLLM says that weights, cache and activations do not fit.
_MEMORY = ("Free memory on device", "No available memory for the cache blocks", "KV cache is needed", "out of memory")


class VLLMEngine:
    """One vLLM engine for both systems: the base answers without the adapter."""

    def __init__(self, job: Job) -> None:
        """Loads model and adapter; raises OutOfMemoryError or RefusedError."""
        self.name = version("vllm")
        self._job = job
        options: dict[str, Any] = (
            {"enforce_eager": True} if job.device == "cpu" else {"tensor_parallel_size": _parallel(job.gpus)}
        )
        try:
            self._llm = LLM(
                str(job.model),
                enable_lora=True,
                max_lora_rank=next(rank for rank in MAX_RANKS if rank >= job.rank),
                max_model_len=_context(job),
                max_num_seqs=job.batch_size,
                dtype=job.dtype,
                **options,
            )
        except (ValueError, RuntimeError) as error:
            if any(sign in str(error) for sign in _MEMORY):
                raise OutOfMemoryError(f"vLLM does not fit the memory: {error}", next="use a larger GPU") from error
            if "are not supported" in str(error):
                raise RefusedError(
                    f"vLLM does not load the model: {error}", next="set evaluation.engine: transformers"
                ) from error
            raise

    def generate(self, adapted: bool, progress: Progress) -> list[Answer]:
        """Answers every prompt through the chat template, as the server does."""
        # What the model's generation_config.json sets, such as a repetition penalty, applies to served answers too.
        sampling = self._llm.get_default_sampling_params()
        sampling.temperature, sampling.max_tokens = 0.0, self._job.max_new_tokens
        outputs = self._llm.chat(
            [list(conversation) for conversation in self._job.conversations],
            sampling,
            use_tqdm=_bar(progress),
            lora_request=LoRARequest("adapter", 1, str(self._job.adapter)) if adapted else None,
            chat_template_kwargs={"date_string": self._job.date_string},
        )
        for index, (output, prompt) in enumerate(zip(outputs, self._job.prompts, strict=True)):
            if output.prompt_token_ids != prompt:
                raise RefusedError(
                    f"vLLM renders the prompt of example {index} to other tokens than training did: "
                    "what was learned would not be what is served",
                    next="report this with the model's id and revision",
                )
        return [Answer(output.outputs[0].text, output.outputs[0].finish_reason or "stop") for output in outputs]


def _context(job: Job) -> int:
    """The longest sequence of the job, as far as the model goes."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(job.model).get_text_config()
    limit = getattr(config, "max_position_embeddings", None) or job.longest
    prompt = max(len(prompt) for prompt in job.prompts)
    if prompt >= limit:
        raise RefusedError(
            f"a prompt of the judged split has {prompt} tokens, the model takes {limit}: no room is left for an answer",
            next=f"set training.maxLength below {limit}: longer examples are then left out",
        )
    return min(job.longest, limit)


def _parallel(gpus: int) -> int:
    """GPUs that the model is spread over: of those in this pod a power of two, because it must divide the heads."""
    import torch

    here: int = max(1, min(gpus, torch.cuda.device_count()))
    return 1 << (here.bit_length() - 1)


def _bar(progress: Progress) -> type[tqdm]:
    """vLLM reports to a progress bar: this one passes the count on and draws nothing."""

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "file": io.StringIO()})

        def update(self, n: float | None = 1) -> bool | None:
            drawn: bool | None = super().update(n)
            # A bar for the rendering of the prompts comes first; it iterates and does not update.
            progress(int(self.n))
            return drawn

    return Bar

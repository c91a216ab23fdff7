"""Generation by transformers, for machines and models that vLLM does not take."""

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from ..errors import OutOfMemoryError
from .engine import Job, Progress, version
from .predictions import Answer


class TransformersEngine:
    """One model for both systems: the base answers with the adapter switched off."""

    def __init__(self, job: Job) -> None:
        """Loads model and adapter; raises OutOfMemoryError."""
        self.name = version("transformers")
        self._job = job
        self._tokenizer = AutoTokenizer.from_pretrained(job.model)
        try:
            base = AutoModelForCausalLM.from_pretrained(job.model, dtype=job.dtype, device_map=job.device)
            # The adapter takes the base's dtype, as in vLLM.
            self._model = PeftModel.from_pretrained(base, job.adapter, autocast_adapter_dtype=False).to(base.dtype)
        except torch.OutOfMemoryError as error:
            raise OutOfMemoryError(f"the model does not fit the memory: {error}", next="use a larger GPU") from error
        self._model.eval()
        self._stops = _stop_ids(base.generation_config, self._tokenizer.eos_token_id)
        # Some models set one; the server applies it too.
        self._penalty = base.generation_config.repetition_penalty or 1.0

    def generate(self, adapted: bool, progress: Progress) -> list[Answer]:
        """Answers every prompt, prompts of like length together so that little is padded."""
        prompts = self._job.prompts
        order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        answers: dict[int, Answer] = {}
        for start in range(0, len(order), self._job.batch_size):
            batch = order[start : start + self._job.batch_size]
            answers.update(zip(batch, self._answer([prompts[index] for index in batch], adapted), strict=True))
            progress(len(answers))
        return [answers[index] for index in range(len(prompts))]

    def _answer(self, prompts: list[list[int]], adapted: bool) -> list[Answer]:
        width = max(len(prompt) for prompt in prompts)
        # On the left: generation goes on at the right end. Which id pads is of no matter, the mask hides it.
        pad = self._stops[0]
        ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt in prompts], device=self._model.device)
        mask = torch.tensor(
            [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=self._model.device
        )
        config = GenerationConfig(
            do_sample=False,
            max_new_tokens=self._job.max_new_tokens,
            eos_token_id=self._stops,
            pad_token_id=pad,
            repetition_penalty=self._penalty,
        )
        try:
            if adapted:
                output = self._model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
            else:
                with self._model.disable_adapter():
                    output = self._model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
        except torch.OutOfMemoryError as error:
            raise OutOfMemoryError(
                f"generating {len(prompts)} answers at once does not fit the memory: {error}",
                next="lower evaluation.batchSize",
            ) from error
        return [self._read(tokens) for tokens in output[:, width:].tolist()]

    def _read(self, tokens: list[int]) -> Answer:
        end = next((at for at, token in enumerate(tokens) if token in self._stops), None)
        text = self._tokenizer.decode(tokens[:end], skip_special_tokens=True)
        return Answer(text, "length" if end is None else "stop")


def _stop_ids(config: GenerationConfig, eos: int) -> list[int]:
    """Every token that ends an answer: the tokenizer's and those of generation_config.json."""
    listed = config.eos_token_id
    return list(dict.fromkeys([eos, *(listed if isinstance(listed, list) else [listed] if listed is not None else [])]))

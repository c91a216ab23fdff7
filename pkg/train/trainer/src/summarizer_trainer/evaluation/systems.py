"""The systems that are judged, and what the answers of each are made from."""

import pathlib
from collections.abc import Sequence
from typing import Any

from .. import tokens
from ..adapter import Adapter
from ..events import Events
from ..examples import Example
from ..layout import Layout, Prepared
from ..spec import Spec
from . import engine, engines, measures
from .predictions import Answer, split_sha256

GENERATED = ("tuned", "base")
"""Systems that an engine answers for: the base with the adapter, and without it."""
SYSTEMS = (*GENERATED, "lead3")


class Systems:
    """Answers for each system; the engine is loaded when the first of them needs it."""

    def __init__(
        self,
        spec: Spec,
        layout: Layout,
        prepared: Prepared,
        events: Events,
        facts: Adapter,
        examples: Sequence[Example],
    ) -> None:
        """Renders the prompts; raises RefusedError when the template refuses one."""
        self._spec, self._events, self._examples = spec, events, examples
        self._adapter_sha256 = facts.sha256
        tokenizer = tokens.load(prepared.model)
        self._job = engine.Job(
            model=pathlib.Path(prepared.model),
            adapter=layout.adapter,
            rank=facts.rank,
            device=spec.training.device,
            gpus=spec.training.gpus,
            max_new_tokens=spec.evaluation.maxNewTokens,
            batch_size=spec.evaluation.batchSize,
            date_string=spec.prompt.dateString,
            prompts=[tokens.render_prompt(tokenizer, example.prompt(), spec.prompt) for example in examples],
            conversations=[example.prompt() for example in examples],
        )
        self._engine: engine.Engine | None = None
        self.engine_name = engine.version(spec.evaluation.engine)
        self._made_from: dict[str, Any] = {
            "split": split_sha256(examples),
            "prompts": self._job.prompts,
            "model": [prepared.model, prepared.model_revision],
            "engine": self.engine_name,
            "maxNewTokens": spec.evaluation.maxNewTokens,
        }

    def made_from(self, system: str) -> dict[str, Any]:
        """Everything that the system's answers depend on."""
        if system == "lead3":
            return {"split": self._made_from["split"]}
        return {**self._made_from, "adapter": self._adapter_sha256 if system == "tuned" else ""}

    def answer(self, system: str) -> list[Answer]:
        """The system's answer to each example, in their order."""
        if system == "lead3":
            return [Answer(measures.lead(example.dialogue)) for example in self._examples]
        if self._engine is None:
            self._events.phase("evaluate", f"loading {self.engine_name}")
            self._engine = engines.start(self._spec.evaluation.engine, self._job)
        total = len(self._examples)
        self._events.phase("evaluate", f"{system}, {total} examples")
        reported = 0

        def progress(done: int) -> None:
            nonlocal reported
            if done - reported >= self._spec.evaluation.batchSize or done == total > reported:
                reported = done
                before = GENERATED.index(system) * total
                self._events.progress("evaluate", before + done, len(GENERATED) * total, "examples")

        return self._engine.generate(system == "tuned", progress)

"""Asks a server for the adapter's and the base's answers: does it serve the adapter, and which of the two is better?"""

import asyncio
import itertools
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from . import spec
from .errors import RefusedError
from .evaluation.intervals import Interval, bootstrap
from .events import Events
from .examples import Example, read, summary_turns
from .layout import Layout, Prepared
from .served import Server

CONCURRENCY = 8
"""Requests at a time: a probe must not starve the release's own clients."""
FEWEST = 20
"""Examples from which a verdict is dared: the bootstrap of fewer is too sure of itself."""


@dataclass
class Probe:
    """probe.yaml: who is asked, and what: the dialogues, or when there are none so many examples of the judged split.

    `url` is without /v1. With dialogues the run's volume is not read: it may be on another node.
    """

    url: str
    adapter: str
    base: str
    dialogues: list[str] = field(default_factory=list)
    examples: int = 0


def run(run_spec: spec.Spec, layout: Layout, events: Events, argument_path: pathlib.Path) -> None:
    """Probes a server as probe.yaml says and tells by the event `probe` what was found.

    Raises RefusedError when the adapter is not listed, or answers everything as the base does; TrainerError when the
    server gives no answer.
    """
    request = cast(Probe, spec.build(Probe, spec.read_yaml(argument_path), argument_path.name))
    examples = _given(request, run_spec) if request.dialogues else _of_the_split(request, run_spec, layout)
    mine, theirs = asyncio.run(_ask(request, examples, run_spec, events))
    different = sum(a != b for a, b in zip(mine, theirs, strict=True))
    if not different:
        raise RefusedError(
            f"{request.adapter} answers {len(examples)} of {len(examples)} examples just as {request.base} does: "
            "the adapter is not in use, or learned nothing",
            next="see whether the release loads the adapter of this run",
        )
    asked = {"adapter": request.adapter, "base": request.base, "examples": len(examples), "different": different}
    if request.dialogues:
        events.emit("probe", **asked)
    else:
        events.emit("probe", **asked, **_compared(examples, mine, theirs, run_spec.evaluation.bootstrapSamples))


def _given(request: Probe, run_spec: spec.Spec) -> list[Example]:
    return [
        Example(str(number), summary_turns(run_spec.prompt, dialogue), dialogue, "")
        for number, dialogue in enumerate(request.dialogues)
    ]


def _of_the_split(request: Probe, run_spec: spec.Spec, layout: Layout) -> list[Example]:
    if request.examples < 1:
        raise RefusedError(f"examples is {request.examples}: ask for at least 1, or give dialogues")
    prepared = Prepared.load(layout.prepared)
    split = pathlib.Path(prepared.data) / f"{run_spec.evaluation.split}.jsonl"
    examples = list(itertools.islice(read(split, run_spec.prompt), request.examples))
    if not examples:
        raise RefusedError(f"{split} has no example to ask")
    return examples


def _compared(examples: Sequence[Example], mine: Sequence[str], theirs: Sequence[str], samples: int) -> dict[str, Any]:
    """The event's fields that say which of the two is better."""
    # The scorer is of the layer, which is on the volume.
    from .evaluation.rouge import METRICS, Scorer

    scorer = Scorer()
    scores = [
        np.array([scorer.score(e.summary, answer) for e, answer in zip(examples, answers, strict=True)])
        for answers in (mine, theirs)
    ]
    differences = bootstrap(scores[0] - scores[1], samples)
    means = [dict(zip(METRICS, (round(float(mean), 4) for mean in s.mean(axis=0)), strict=True)) for s in scores]
    return {
        "scores": {"adapter": means[0], "base": means[1]},
        "difference": {m: [round(x, 4) for x in interval] for m, interval in zip(METRICS, differences, strict=True)},
        "verdict": verdict(differences, len(examples)),
    }


def verdict(differences: Sequence[Interval], examples: int) -> str:
    """better, worse or no difference, from the intervals of adapter less base, ROUGE-1 first.

    It is the rule of pkg/train/compare.go: ROUGE-1 decides when its whole interval lies on one side of zero, unless
    another metric's lies on the other.
    """
    if examples < FEWEST:
        return "no difference"
    above = [low > 0 for _, low, _ in differences]
    below = [high < 0 for _, _, high in differences]
    if above[0] and not any(below):
        return "better"
    if below[0] and not any(above):
        return "worse"
    return "no difference"


async def _ask(
    request: Probe, examples: Sequence[Example], run_spec: spec.Spec, events: Events
) -> tuple[list[str], list[str]]:
    """The answers of adapter and base to each example."""
    models = (request.adapter, request.base)
    free = asyncio.Semaphore(CONCURRENCY)
    done = 0

    async def ask(server: Server, model: str, example: Example) -> str:
        nonlocal done
        async with free:
            answer = await server.answer(
                model, example.prompt(), run_spec.evaluation.maxNewTokens, run_spec.prompt.dateString
            )
        done += 1
        if done % CONCURRENCY == 0 or done == len(models) * len(examples):
            events.progress("probe", done, len(models) * len(examples), "examples")
        return answer

    async with Server(request.url) as server:
        events.phase("probe", f"waiting for {request.url} to serve {request.adapter}")
        await server.await_models([*models])
        events.phase("probe", f"{request.adapter} and {request.base}, {len(examples)} examples")
        # One model after the other: on CPU, vLLM 0.32.0 answers as the adapter when a request to the base shares a
        # step with one to the adapter (vllm-project/vllm#48421).
        mine, theirs = [
            await asyncio.gather(*(ask(server, model, example) for example in examples)) for model in models
        ]
    return mine, theirs

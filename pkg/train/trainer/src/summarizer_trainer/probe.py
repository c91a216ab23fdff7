"""Asks a server for the adapter's and the base's answers: does it serve the adapter, and which of the two is better?"""

import asyncio
import itertools
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from . import spec
from .errors import RefusedError
from .evaluation.intervals import Interval, bootstrap
from .evaluation.rouge import METRICS, Scorer
from .events import Events
from .examples import Example, read
from .layout import Layout, Prepared
from .served import Server

CONCURRENCY = 8
"""Requests at a time: a probe must not starve the release's own clients."""
FEWEST = 20
"""Examples from which a verdict is dared: the bootstrap of fewer is too sure of itself."""


@dataclass
class Probe:
    """probe.yaml: who is asked. `url` is without /v1; `examples` are of the judged split."""

    url: str
    adapter: str
    base: str
    examples: int


def run(run_spec: spec.Spec, layout: Layout, events: Events, argument_path: pathlib.Path) -> None:
    """Probes a server as probe.yaml says and tells by the event `probe` what was found.

    Raises RefusedError when the adapter is not listed, or answers everything as the base does; TrainerError when the
    server gives no answer.
    """
    request = cast(Probe, spec.build(Probe, spec.read_yaml(argument_path), argument_path.name))
    if request.examples < 1:
        raise RefusedError(f"examples is {request.examples}: ask for at least 1")
    prepared = Prepared.load(layout.prepared)
    split = pathlib.Path(prepared.data) / f"{run_spec.evaluation.split}.jsonl"
    examples = list(itertools.islice(read(split, run_spec.prompt), request.examples))
    if not examples:
        raise RefusedError(f"{split} has no example to ask")
    mine, theirs = asyncio.run(_ask(request, examples, run_spec, events))
    different = sum(a != b for a, b in zip(mine, theirs, strict=True))
    if not different:
        raise RefusedError(
            f"{request.adapter} answers {len(examples)} of {len(examples)} examples just as {request.base} does: "
            "the adapter is not in use, or learned nothing",
            next="see whether the release loads the adapter of this run",
        )
    scores = [_scores(examples, answers) for answers in (mine, theirs)]
    differences = bootstrap(scores[0] - scores[1], run_spec.evaluation.bootstrapSamples)
    events.emit(
        "probe",
        adapter=request.adapter,
        base=request.base,
        examples=len(examples),
        different=different,
        scores={"adapter": _means(scores[0]), "base": _means(scores[1])},
        difference={m: [round(x, 4) for x in interval] for m, interval in zip(METRICS, differences, strict=True)},
        verdict=verdict(differences, len(examples)),
    )


def verdict(differences: Sequence[Interval], examples: int) -> str:
    """better, worse or no difference, from the intervals of adapter less base in the order of METRICS.

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
        # The two are asked alternately: load that comes and goes hits both.
        answers = await asyncio.gather(*(ask(server, model, example) for example in examples for model in models))
    return answers[::2], answers[1::2]


def _scores(examples: Sequence[Example], answers: Sequence[str]) -> NDArray[np.float64]:
    scorer = Scorer()
    return np.array([scorer.score(e.summary, answer) for e, answer in zip(examples, answers, strict=True)])


def _means(scores: NDArray[np.float64]) -> dict[str, Any]:
    return {metric: round(float(mean), 4) for metric, mean in zip(METRICS, scores.mean(axis=0), strict=True)}

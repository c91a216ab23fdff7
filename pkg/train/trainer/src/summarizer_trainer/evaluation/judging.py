"""Judges an adapter: its answers, the base's and the first turns of the dialogue, against the references."""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import adapter
from ..errors import RefusedError
from ..events import Events
from ..examples import Example, read
from ..layout import Layout, Prepared, write_json
from ..spec import Spec
from . import measures
from .intervals import CONFIDENCE, bootstrap
from .predictions import Judged, Store, split_sha256
from .rouge import METRICS, Scorer
from .systems import SYSTEMS, Systems


def judge(spec: Spec, layout: Layout, prepared: Prepared, events: Events) -> dict[str, Any]:
    """See `run` of the package."""
    events.phase("check", "the adapter as vLLM will load it")
    facts = adapter.check(layout.adapter, pathlib.Path(prepared.model))
    split = spec.evaluation.split
    examples = list(read(pathlib.Path(prepared.data) / f"{split}.jsonl", spec.prompt))
    if not examples:
        raise RefusedError(
            f"the split {split} has no example to judge with",
            next="give data that has one, or set evaluation.engine: none",
        )
    systems = Systems(spec, layout, prepared, events, facts, examples)
    scorer = Scorer()
    store = Store(layout.predictions, examples)
    judged = {system: _judge(system, systems, scorer, store, examples) for system in SYSTEMS}
    served = spec.evaluation.engine == "vllm" and judged["tuned"].answers != judged["base"].answers
    _warn(events, spec.evaluation.engine == "vllm" and not served, judged["tuned"])
    scores = _scores_document(split, examples, judged["tuned"])
    write_json(layout.run / "scores.json", scores)
    events.keep("scores.json", scores)
    samples = spec.evaluation.bootstrapSamples
    result = {
        "split": split,
        "examples": len(examples),
        "engine": systems.engine_name,
        "scorer": scorer.description,
        "confidence": CONFIDENCE,
        "maxNewTokens": spec.evaluation.maxNewTokens,
        "served": served,
        "systems": {system: _summary(examples, judged[system], samples) for system in SYSTEMS},
    }
    write_json(layout.run / "evaluation.json", result)
    return result


def _judge(system: str, systems: Systems, scorer: Scorer, store: Store, examples: Sequence[Example]) -> Judged:
    made_from = systems.made_from(system)
    judged = store.load(system, made_from)
    if judged is None:
        answers = systems.answer(system)
        scores = [scorer.score(e.summary, a.text) for e, a in zip(examples, answers, strict=True)]
        judged = Judged(answers, scores)
        store.save(system, made_from, judged)
    return judged


def _warn(events: Events, same: bool, tuned: Judged) -> None:
    if same:
        events.warning("vLLM gives the same answers with the adapter as without it: it learned nothing that shows")
    if not any(any(scores) for scores in tuned.scores):
        events.warning(
            "no prediction shares a word with its reference. rouge-score counts words of the letters a to z only: "
            "for other scripts its figures mean nothing"
        )


def _summary(examples: Sequence[Example], judged: Judged, samples: int) -> dict[str, Any]:
    """The scores of one system as result.json has them, to four decimals."""
    references = [example.summary for example in examples]
    texts = [answer.text for answer in judged.answers]
    intervals = bootstrap(np.array(judged.scores), samples)
    entry: dict[str, Any] = {
        metric: [round(bound, 4) for bound in interval] for metric, interval in zip(METRICS, intervals, strict=True)
    }
    entry["lengthRatio"] = round(measures.length_ratio(references, texts), 4)
    entry["empty"] = round(measures.share([not text.strip() for text in texts]), 4)
    entry["cutOff"] = round(measures.share([answer.finish == "length" for answer in judged.answers]), 4)
    recall = measures.name_recall([example.dialogue for example in examples], references, texts)
    if recall is not None:
        entry["nameRecall"] = round(recall, 4)
    return entry


def _scores_document(split: str, examples: Sequence[Example], judged: Judged) -> dict[str, Any]:
    """The tuned model's score of each example, so that two runs can be compared without their volumes."""
    return {
        "version": 1,
        "split": split,
        "split_sha256": split_sha256(examples),
        "metrics": list(METRICS),
        "scores": [[round(10000 * score) for score in scores] for scores in judged.scores],
    }

"""Prints what an engine answers, as JSON: answers.py ENGINE MODEL ADAPTER SPLIT.jsonl DTYPE MAX-NEW-TOKENS.

A process of its own: two vLLM engines cannot follow each other in one.
"""

import dataclasses
import json
import pathlib
import sys

from summarizer_trainer import adapter, tokens
from summarizer_trainer.evaluation import engine, engines
from summarizer_trainer.examples import read
from summarizer_trainer.spec import Prompt


def main(name: str, model: str, adapter_dir: str, split: str, dtype: str, max_new_tokens: str) -> None:
    examples = list(read(pathlib.Path(split), Prompt()))
    tokenizer = tokens.load(model)
    job = engine.Job(
        model=pathlib.Path(model),
        adapter=pathlib.Path(adapter_dir),
        rank=adapter.read(pathlib.Path(adapter_dir)).rank,
        device="cpu",
        gpus=1,
        max_new_tokens=int(max_new_tokens),
        batch_size=8,
        date_string=Prompt().dateString,
        prompts=[tokens.render_prompt(tokenizer, example.prompt(), Prompt()) for example in examples],
        conversations=[example.prompt() for example in examples],
        dtype=dtype,
    )
    started = engines.start(name, job)
    answers = {
        system: [dataclasses.asdict(answer) for answer in started.generate(system == "tuned", lambda done: None)]
        for system in ("tuned", "base")
    }
    print("ANSWERS " + json.dumps({"engine": started.name, **answers}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Measures tokens a second and peak memory of the training against plain TRL at its defaults.

python -m bench [--device cuda] [--shape mistral-7b] [--pairs N] [--steps N] [--out FILE]

Whole processes that alternate (ours, plain, ours, plain, ...), on the same examples in the same order. The first step,
which compiles and fills caches, is not counted. The table is Markdown, on stdout or in a file.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from typing import Any

from summarizer_trainer import machine, spec, stages
from summarizer_trainer.layout import Layout, Prepared

from . import limits, models, ours

DATA = pathlib.Path(__file__).parents[4] / "examples" / "dialogues"
EFFECTIVE_BATCH = 8


def main(arguments: list[str]) -> None:
    """Measures, and writes the table."""
    options = _parse(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        model = pathlib.Path(os.environ["SUMMARIZER_TEST_MODEL"])
        if options.shape:
            model = models.make(options.shape, model, options.models / options.shape)
        path = _write_run(pathlib.Path(scratch), model, options)
        pairs = []
        for number in range(options.pairs):
            pair = {side: _measure(side, path) for side in ("ours", "plain")}
            print(f"pair {number + 1} of {options.pairs}: {json.dumps(pair)}", file=sys.stderr, flush=True)
            pairs.append(pair)
        text = _report(pairs, options, str(model.name if options.shape else "SmolLM2-135M-Instruct"))
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    print(text)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--shape", choices=sorted(models.SHAPES), help="random weights in this shape")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6, help="of 8 examples each, the first not counted")
    parser.add_argument("--batch-size", type=int, default=4, help="our examples at once; plain TRL takes 8")
    parser.add_argument("--memory", type=float, default=limits.L4_GIB, help="GiB of the GPU that both may use")
    parser.add_argument(
        "--models", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()), help="random weights are kept here"
    )
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args(arguments)
    if options.device == "cuda":
        os.environ[limits.VARIABLE] = str(options.memory)
    return options


def _write_run(scratch: pathlib.Path, model: pathlib.Path, options: argparse.Namespace) -> pathlib.Path:
    """A prepared run, as the preparation leaves it."""
    path = scratch / "run.yaml"
    path.write_text(
        json.dumps(
            {
                "version": spec.VERSION,
                "name": "bench",
                "model": {"id": str(model)},
                "data": {"uri": str(DATA)},
                "volume": str(scratch / "volume"),
                "training": {
                    "device": options.device,
                    "maxSteps": options.steps,
                    "batchSize": options.batch_size,
                    "effectiveBatchSize": EFFECTIVE_BATCH,
                    "learningRate": 5e-4,
                    "logSteps": options.steps,
                    "saveSteps": 10 * options.steps,
                    "evalSteps": 10 * options.steps,
                },
                "tracking": {"wandb": {"mode": "off"}},
            }
        ),
        encoding="utf-8",
    )
    # Without a validation split nothing is evaluated, as by default in TRL.
    data = scratch / "data"
    data.mkdir()
    (data / "train.jsonl").write_bytes((DATA / "train.jsonl").read_bytes())
    Prepared(str(model), "0" * 40, str(data), "", "", "0" * 64, 0).save(Layout(spec.load(path)).prepared)
    return path


def _measure(side: str, path: pathlib.Path) -> dict[str, Any]:
    """One training in a process of its own."""
    run = spec.load(path)
    layout = Layout(run)
    environment = dict(os.environ)
    if side == "ours":
        environment.update(stages.environment(run))
    for kept in ("adapter", "checkpoints"):
        shutil.rmtree(getattr(layout, kept), ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{side}", str(path)], env=environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"{side} ended with {done.returncode}: {done.stdout[-2000:]}")
    return ours.read(done.stdout) if side == "ours" else dict(json.loads(done.stdout.splitlines()[-1]))


def _report(pairs: list[dict[str, Any]], options: argparse.Namespace, model: str) -> str:
    def middle(side: str, figure: str) -> float:
        return float(statistics.median(pair[side][figure] for pair in pairs))

    def ratios(figure: str) -> list[float]:
        return sorted(pair["ours"][figure] / pair["plain"][figure] for pair in pairs)

    lines = [
        f"| {model} | tokens/s | peak memory | loss of step 1 | mean loss of steps 2 to {options.steps} |",
        "|---|---|---|---|---|",
    ]
    for side, name in (("ours", "ours"), ("plain", "plain TRL")):
        losses = [statistics.median(pair[side]["losses"][i] for pair in pairs) for i in (0, -1)]
        lines.append(
            f"| {name} | {middle(side, 'tokensPerSecond'):.0f} | {middle(side, 'memoryGiB'):.1f} GiB "
            f"| {losses[0]:.3f} | {losses[1]:.3f} |"
        )
    speed, memory = ratios("tokensPerSecond"), ratios("memoryGiB")
    lines.append(
        f"| **ratio** | **{statistics.median(speed):.2f}** ({speed[0]:.2f} to {speed[-1]:.2f}) "
        f"| {statistics.median(memory):.2f} ({memory[0]:.2f} to {memory[-1]:.2f}) | | |"
    )
    where = f"{machine.cores()} cores" if options.device == "cpu" else f"{_gpu()}, at most {options.memory} GiB of it"
    return "\n".join([*lines, "", f"{options.pairs} pairs on {where}.", ""])


def _gpu() -> str:
    import torch

    return str(torch.cuda.get_device_name(0))


if __name__ == "__main__":
    main(sys.argv[1:])

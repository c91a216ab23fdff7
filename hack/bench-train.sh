#!/usr/bin/env bash
# Usage: hack/bench-train.sh [flags of python -m bench]
# Measures the training against plain TRL at its defaults, and writes the section "Training" of docs/performance.md.
# On this machine's CPU: about ten minutes on 2 cores. On a GPU run `python -m bench --device cuda --shape mistral-7b`
# in pkg/train/trainer, with the packages of pyproject.toml and SUMMARIZER_TEST_MODEL at a small model's directory.
. "$(dirname "$0")/lib.sh"

# In the tree, where the measuring writes, and in a directory that git ignores.
mkdir -p bin
table=$(mktemp -p bin)
trap 'rm -f "$table"' EXIT
hack/trainer.sh -m bench --out "/mnt/repo/$table" "$@" >&2
section() {
  cat <<'TEXT'
Written by `make bench-train`; run it on your machine. Whole processes in alternating pairs, on the same examples of
`examples/dialogues` in the same order, 8 in a step, LoRA of rank 16 on all linear layers. Plain TRL is `SFTTrainer` of the same
version with its own defaults: float32 weights under bfloat16 autocast, gradient checkpointing, padded batches. Medians; the ratio is
the median of the pairs' ratios, with the lowest and the highest. Tokens are those of prompts and answers without padding; the
first step is not counted. Both sides learn the same, or the losses would differ by more than the noise of dropout. Budget on CPU:
at least 2.5 times plain TRL's tokens a second. On a GPU nothing was measured yet: `python -m bench --device cuda --shape mistral-7b`
(or `llama-3.2-3b`) is there for it, with an L4's 22.03 GiB as the limit of both sides, and has not been run.

TEXT
  cat "$table"
}
section | hack/performance.py "Training"

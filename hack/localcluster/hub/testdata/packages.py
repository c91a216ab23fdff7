"""Installs the trainer's packages from the stand-in's index, as the preparation of a run does, and loads a dataset with them.

Prints one line a check, "ok NAME" or "FAIL NAME: why". HF_ENDPOINT names the server; run as the user of a pod.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import client
from client import ENDPOINT, check

LAYER = tempfile.mkdtemp()
INSTALL = [
    sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--index-url", ENDPOINT + "/simple", "--trusted-host", "127.0.0.1",
    "--no-deps", "--no-build-isolation", "--no-binary", "rouge-score",
]  # fmt: skip


def as_a_pod() -> None:
    assert os.getuid() == 2000
    try:
        pathlib.Path("/usr/written").touch()
    except OSError:
        return
    raise AssertionError("the root is not read-only")


def install() -> None:
    subprocess.run([*INSTALL, "--require-hashes", "--target", LAYER, "--requirement", "/mnt/trainer/layer.lock"], check=True, timeout=300)
    sys.path.insert(0, LAYER)
    from rouge_score.rouge_scorer import RougeScorer

    assert round(RougeScorer(["rougeL"]).score("a b c", "a b d")["rougeL"].fmeasure, 3) == 0.667


def wrong_hash() -> None:
    lock = pathlib.Path(tempfile.mkdtemp(), "wrong.lock")
    lock.write_text("six==1.17.0 --hash=sha256:" + 64 * "0" + "\n")
    run = subprocess.run([*INSTALL, "--require-hashes", "--target", tempfile.mkdtemp(), "--requirement", lock], capture_output=True, text=True)
    assert run.returncode == 1 and "DO NOT MATCH THE HASHES" in run.stderr, run


def missing() -> None:
    run = subprocess.run([*INSTALL, "--target", tempfile.mkdtemp(), "no-such-package"], capture_output=True, text=True)
    assert run.returncode == 1 and "No matching distribution found for no-such-package" in run.stderr, run


def dataset() -> None:
    import datasets

    found = datasets.load_dataset("local/dialogues")
    assert {name: len(split) for name, split in found.items()} == {"train": 180, "validation": 30, "test": 30}, found
    test = datasets.load_dataset("json", data_files="hf://datasets/local/dialogues/test.jsonl", split="train")
    assert test["summary"] == found["test"]["summary"]


def main() -> None:
    check("as a pod", as_a_pod)
    check("install", install)
    check("wrong hash", wrong_hash)
    check("missing package", missing)
    check("dataset", dataset)
    sys.exit(client.failed)


if __name__ == "__main__":
    main()

"""The tokenized examples of a split."""

from __future__ import annotations

import hashlib
import pathlib
from typing import Any

import pyarrow as pa
from datasets import Dataset
from datasets.table import InMemoryTable

from .. import tokens
from ..examples import read
from ..spec import Spec
from .loss import IGNORED


def load(path: pathlib.Path, tokenizer: Any, spec: Spec) -> Dataset:
    """Columns `input_ids` and `labels` (IGNORED up to the answer); examples that are too long are left out."""
    ids, labels = [], []
    if path.exists():
        for example in read(path, spec.prompt):
            prompt, completion = tokens.render(tokenizer, example, spec.prompt)
            if len(prompt) + len(completion) <= spec.training.maxLength:
                ids.append(prompt + completion)
                labels.append([IGNORED] * len(prompt) + completion)
    kind = pa.list_(pa.int64())
    table = InMemoryTable(pa.table({"input_ids": pa.array(ids, kind), "labels": pa.array(labels, kind)}))
    # By itself Dataset pickles the table for its fingerprint, which types of pyarrow 26 refuse.
    return Dataset(table, fingerprint=hashlib.sha256(repr((ids, labels)).encode()).hexdigest()[:16])

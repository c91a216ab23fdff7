"""Which file is which split, by its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer_trainer.data import files
from summarizer_trainer.errors import RefusedError


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.jsonl", "train"),
        ("training_set.csv", "train"),
        ("train-00000-of-00002.parquet", "train"),
        ("Validation.json", "validation"),
        ("valid.csv", "validation"),
        ("val.json", "validation"),
        ("dev-1.jsonl", "validation"),
        ("test.jsonl", "test"),
        ("test_v2.jsonl", "test"),
        ("testimony.jsonl", ""),
        ("trainers.csv", ""),
        ("developers.json", ""),
        ("data.jsonl", ""),
    ],
)
def test_split_of_a_name(name: str, split: str) -> None:
    assert files.split_of(name) == split


@pytest.mark.parametrize(
    ("paths", "groups"),
    [
        (["test.jsonl", "train.jsonl"], {"train": ["train.jsonl"], "test": ["test.jsonl"]}),
        (["README.md", "all.csv"], {"": ["all.csv"]}),
        (["train.csv", "train.parquet", "train.jsonl"], {"train": ["train.jsonl"]}),
        (
            ["data/train-1.parquet", "data/train-0.parquet", "README.md"],
            {"train": ["data/train-0.parquet", "data/train-1.parquet"]},
        ),
        (["train/b.jsonl", "train/a.jsonl"], {"train": ["train/a.jsonl", "train/b.jsonl"]}),
        ([".cache/train.jsonl", "train.jsonl.gz"], {"train": ["train.jsonl.gz"]}),
    ],
)
def test_groups(paths: list[str], groups: dict[str, list[str]]) -> None:
    assert files.by_split(paths, "here") == groups


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ([], "there is no data in it"),
        (["README.md", "train.txt"], "there is no data in it"),
        (["a.jsonl", "b.jsonl"], "2 files, and none says which split it is: a.jsonl, b.jsonl"),
        (["test.jsonl", "val.jsonl"], "there is no file for training, only test.jsonl, val.jsonl"),
        (["de/train.jsonl", "en/train.jsonl"], "the split train is in several folders: de, en"),
    ],
)
def test_names_that_do_not_say_enough(paths: list[str], message: str) -> None:
    with pytest.raises(RefusedError, match=message) as refused:
        files.by_split(paths, "here")
    assert refused.value.next


NAMES = st.text("trainvldesJ./_-0 ", min_size=1, max_size=20)
PATHS = st.lists(st.one_of(NAMES, NAMES.map(lambda name: name + ".jsonl"), NAMES.map(lambda name: f"train{name}.csv")))


@given(PATHS)
def test_any_names_are_grouped_or_refused(paths: list[str]) -> None:
    try:
        groups = files.by_split(paths, "here")
    except RefusedError:
        return
    chosen = [path for split in groups.values() for path in split]
    assert chosen and set(chosen) <= set(paths)
    assert "train" in groups or list(groups) == [""]

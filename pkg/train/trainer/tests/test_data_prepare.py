"""From a source to the three files: what is in them, what was dropped, and that nothing is half."""

import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Heard

import tiny
from summarizer_trainer import examples, spec, tokens
from summarizer_trainer.data import files, local, prepare, samsum, store
from summarizer_trainer.errors import RefusedError, TrainerError
from summarizer_trainer.preparation import model

Made = tuple[pathlib.Path, dict[str, Any]]
Make = Callable[..., Made]


@pytest.fixture
def make(write_run: Callable[..., pathlib.Path], tiny_llama: pathlib.Path, heard: Heard) -> Make:
    """Prepares a path for a model, by default the one in the shape of Llama."""

    def run(
        path: pathlib.Path, /, base: pathlib.Path = tiny_llama, **sections: Any
    ) -> tuple[pathlib.Path, dict[str, Any]]:
        source = local.LocalSource(str(path))
        source.check()
        context = model.context_length(json.loads((base / "config.json").read_text()))
        asked = spec.load(write_run(base, path, **sections))
        return prepare.run(asked, source, prepare.Base(base, base.name, context), heard.events)

    return run


def lines(directory: pathlib.Path, split: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / f"{split}.jsonl").read_text().splitlines()]


def test_examples_are_written_with_counts_and_checksums(make: Make, tiny_data: pathlib.Path, heard: Heard) -> None:
    directory, index = make(tiny_data)
    assert lines(directory, "train") == tiny.rows(48)
    assert lines(directory, "test") == tiny.rows(8, first=200)
    assert sorted(path.name for path in directory.iterdir()) == [
        "data.json", "test.jsonl", "train.jsonl", "validation.jsonl",
    ]  # fmt: skip
    assert store.load(directory) == index == json.loads((directory / "data.json").read_text())
    assert index["sha256"] == store.checksum(directory)
    (event,) = heard.of("data")
    assert event["splits"] == index["splits"]
    assert index["splits"]["train"]["kept"] == 48 and index["splits"]["train"]["dropped"] == {}
    assert heard.warnings() == ""


def test_tokens_are_those_of_the_template(make: Make, tiny_data: pathlib.Path, tiny_llama: pathlib.Path) -> None:
    directory, index = make(tiny_data)
    tokenizer, prompt = tokens.load(tiny_llama), spec.Prompt()
    rendered = [tokens.render(tokenizer, one, prompt) for one in examples.read(directory / "train.jsonl", prompt)]
    lengths = sorted(len(asked) + len(answer) for asked, answer in rendered)
    assert index["splits"]["train"]["tokens"]["total"] == sum(lengths)
    assert index["splits"]["train"]["tokens"]["max"] == lengths[-1]


def test_one_file_is_split_the_same_way_each_time(make: Make, tmp_path: pathlib.Path, heard: Heard) -> None:
    rows = tiny.rows(200)
    first, index = make(tiny.write_jsonl(tmp_path / "all.jsonl", rows))
    second, _ = make(tiny.write_jsonl(tmp_path / "turned.jsonl", rows[::-1]))
    ids = {split: {row["id"] for row in lines(first, split)} for split in files.SPLITS}
    assert ids == {split: {row["id"] for row in lines(second, split)} for split in files.SPLITS}
    assert sum(len(split) for split in ids.values()) == 200 and set.union(*ids.values()) == {r["id"] for r in rows}
    assert 10 <= len(ids["test"]) <= 30 and 10 <= len(ids["validation"]) <= 30
    assert index["taken"] == ["validation", "test"]
    assert "has no files for validation and test: a tenth of its rows is taken each" in heard.warnings()


def test_only_the_missing_split_is_taken_from_train(make: Make, tmp_path: pathlib.Path) -> None:
    tiny.write_jsonl(tmp_path / "d/train.jsonl", tiny.rows(150))
    tiny.write_jsonl(tmp_path / "d/test.jsonl", tiny.rows(9, first=500))
    directory, index = make(tmp_path / "d")
    assert lines(directory, "test") == tiny.rows(9, first=500)
    counts = {split: index["splits"][split]["kept"] for split in files.SPLITS}
    assert counts["train"] + counts["validation"] == 150 and 5 <= counts["validation"] <= 30


def test_too_few_rows_to_split(make: Make, tmp_path: pathlib.Path) -> None:
    with pytest.raises(RefusedError, match="no rows, or too few for a tenth of them to be the split"):
        make(tiny.write_jsonl(tmp_path / "all.jsonl", tiny.rows(2)))


def test_too_long_examples_are_counted_and_test_examples_judged(
    make: Make, tmp_path: pathlib.Path, heard: Heard
) -> None:
    long = {"id": "long", "dialogue": "A: one two three. " * 60, "summary": "A counts."}
    huge = {"id": "huge", "dialogue": "A: one two three. " * 25_000, "summary": "A counts."}
    for split, first in (("train", 0), ("validation", 100), ("test", 200)):
        own = {**long, "dialogue": f"{split}: {long['dialogue']}"}
        tiny.write_jsonl(tmp_path / f"d/{split}.jsonl", [*tiny.rows(9, first), own, huge])
    directory, index = make(tmp_path / "d", training={"maxLength": 200})
    splits = index["splits"]
    assert splits["train"]["dropped"] == splits["validation"]["dropped"] == {"too long": 2}
    assert splits["test"]["dropped"] == {"too long": 1}, "only what the model cannot take at all is not judged"
    assert lines(directory, "test")[-1]["id"] == "long"
    assert splits["test"]["tokens"]["max"] > 200 >= splits["train"]["tokens"]["max"]
    warnings = heard.warnings()
    assert "train: 2 of 11 examples are longer than 200 tokens (training.maxLength), and are left out" in warnings
    assert "test: 1 of 11 examples are longer than the 2048 tokens of the model, with room for an answer" in warnings


def test_room_for_the_answer_counts_against_the_context(make: Make, tiny_data: pathlib.Path) -> None:
    with pytest.raises(RefusedError, match="8 of 8 rows of the split test cannot be used: 8 too long"):
        make(tiny_data, evaluation={"maxNewTokens": 2040})


def test_dialogues_of_the_test_are_not_trained_on(make: Make, tmp_path: pathlib.Path, heard: Heard) -> None:
    tiny.write_jsonl(tmp_path / "d/train.jsonl", tiny.rows(20))
    tiny.write_jsonl(tmp_path / "d/validation.jsonl", tiny.rows(4, first=18))
    spaced = [{**row, "dialogue": row["dialogue"].replace("\n", " \r\n\r\n")} for row in tiny.rows(4, first=17)]
    tiny.write_jsonl(tmp_path / "d/test.jsonl", spaced)
    directory, index = make(tmp_path / "d")
    assert index["splits"]["train"]["dropped"] == {"duplicate": 3}
    assert [row["id"] for row in lines(directory, "train")] == [f"row-{n}" for n in range(17)]
    assert "train: 3 of 20 examples ask what validation or test ask too, and are left out" in heard.warnings()


def test_the_same_file_as_train_and_test_is_refused(make: Make, tmp_path: pathlib.Path) -> None:
    for split in ("train", "test", "validation"):
        tiny.write_jsonl(tmp_path / f"d/{split}.jsonl", tiny.rows(10))
    with pytest.raises(RefusedError, match="10 of 10 rows of the split train cannot be used: 10 duplicate"):
        make(tmp_path / "d")


def test_system_turns_that_a_template_drops(
    make: Make, tmp_path: pathlib.Path, tiny_mistral: pathlib.Path, heard: Heard
) -> None:
    turns = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Ho."}]
    system = {"role": "system", "content": "Be brief."}
    for split in files.SPLITS:
        rows = [{"messages": [{**turns[0], "content": f"{split} {n}?"}, turns[1]]} for n in range(6)]
        rows += [{"messages": [system, {**turns[0], "content": f"{split} with system"}, turns[1]]}]
        tiny.write_jsonl(tmp_path / f"d/{split}.jsonl", rows)
    directory, index = make(tmp_path / "d", base=tiny_mistral)
    assert index["splits"]["train"]["dropped"] == {"template": 1}
    assert "train: 1 of 7 examples do not fit the model's chat template, such as example" in heard.warnings()
    assert all(len(row["messages"]) == 2 for row in lines(directory, "train"))
    _, index = make(tmp_path / "d")
    assert index["splits"]["train"]["dropped"] == {}, "the template of Llama takes them"


def test_rows_without_content_are_counted(make: Make, tmp_path: pathlib.Path) -> None:
    rows: list[dict[str, Any]] = [*tiny.rows(6), {"dialogue": None, "summary": "x"}, {"dialogue": "x", "summary": ""}]
    tiny.write_jsonl(tmp_path / "d/train.jsonl", rows)
    tiny.write_jsonl(tmp_path / "d/test.jsonl", tiny.rows(2, first=90))
    tiny.write_jsonl(tmp_path / "d/validation.jsonl", tiny.rows(2, first=80))
    _, index = make(tmp_path / "d")
    assert index["splits"]["train"] | {"tokens": {}} == {"rows": 8, "kept": 6, "dropped": {"empty": 2}, "tokens": {}}
    assert prepare.dropped(index) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the split train is empty"),
        ('{"dialog": "a", "summary": "b"}\n', "there is no column dialogue; it has dialog, summary"),
        ('{"dialogue": "", "summary": "b"}\n' * 3, "3 of 3 rows of the split train cannot be used: 3 empty"),
        ('{"dialogue": "a", "summary": "b"}\n{', r"train.jsonl:2 is no JSON"),
    ],
)
def test_bad_training_data(make: Make, tmp_path: pathlib.Path, content: str, message: str) -> None:
    for split in ("validation", "test"):
        tiny.write_jsonl(tmp_path / f"d/{split}.jsonl", tiny.rows(3))
    (tmp_path / "d/train.jsonl").write_text(content)
    with pytest.raises(RefusedError, match=message):
        make(tmp_path / "d")
    assert not [path for path in (tmp_path / "volume/data").iterdir() if store.load(path)]


def test_limits(make: Make, tiny_data: pathlib.Path) -> None:
    directory, index = make(tiny_data, data={"limit": {"train": 10, "validation": 2, "test": 3}})
    assert [len(lines(directory, split)) for split in files.SPLITS] == [10, 2, 3]
    assert index["splits"]["train"]["rows"] == 10


def test_nothing_is_made_twice_and_a_broken_file_is_made_again(make: Make, tiny_data: pathlib.Path) -> None:
    directory, index = make(tiny_data)
    made = (directory / "train.jsonl").stat().st_mtime_ns
    assert make(tiny_data) == (directory, index)
    assert (directory / "train.jsonl").stat().st_mtime_ns == made
    with (directory / "train.jsonl").open("a") as file:
        file.write("{}\n")
    assert make(tiny_data) == (directory, index)
    assert len(lines(directory, "train")) == 48
    assert [path.name for path in directory.parent.iterdir()] == [directory.name], "nothing is left beside it"


def test_another_question_is_another_directory(make: Make, tiny_data: pathlib.Path) -> None:
    directories = {
        make(tiny_data)[0],
        make(tiny_data, prompt={"instruction": "Sum up."})[0],
        make(tiny_data, training={"maxLength": 300})[0],
        make(tiny_data, data={"limit": {"train": 5}})[0],
    }
    assert len(directories) == 4


def test_rows_of_samsum(heard: Heard) -> None:
    samsum.check_rows(samsum.ROWS, heard.events)
    assert heard.all == []
    samsum.check_rows({**samsum.ROWS, "train": 14731}, heard.events)
    assert heard.warnings() == "knkarthick/samsum lacks 1 of the 16369 rows of SAMSum"
    with pytest.raises(TrainerError, match="its split test has 1500 rows, and SAMSum has 819") as refused:
        samsum.check_rows({**samsum.ROWS, "test": 1500}, heard.events)
    assert "corpus.7z" in refused.value.next

"""What is an example, what is none, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer_trainer import examples
from summarizer_trainer.data import rows
from summarizer_trainer.data.rows import EMPTY, NO_ANSWER, Form, Record
from summarizer_trainer.errors import RefusedError
from summarizer_trainer.spec import Columns, Prompt

COLUMNS = Columns()
USER, ANSWER = {"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Ho."}


def convert(row: dict[str, Any], form: Form) -> Record | str:
    return rows.convert(row, form, COLUMNS, "train.jsonl:7")


@pytest.mark.parametrize(
    ("names", "form"),
    [
        (["id", "dialogue", "summary"], Form.DIALOGUE),
        (["messages", "dialogue", "summary"], Form.DIALOGUE),
        (["messages", "id"], Form.MESSAGES),
        (["prompt", "completion"], Form.PROMPT),
    ],
)
def test_form_by_columns(names: list[str], form: Form) -> None:
    assert rows.form_of(names, COLUMNS, "here") is form


def test_columns_by_the_names_of_the_specification() -> None:
    columns = Columns(dialogue="text", summary="short")
    assert rows.form_of(["text", "short"], columns, "here") is Form.DIALOGUE
    record = rows.convert({"text": "a", "short": "b", "dialogue": "other"}, Form.DIALOGUE, columns, "x")
    assert isinstance(record, Record) and record.fields == {"dialogue": "a", "summary": "b"}


@pytest.mark.parametrize(
    ("names", "message", "hint"),
    [
        (["dialog", "summary"], "no column dialogue; it has dialog, summary", "set data.columns.dialogue dialog"),
        (
            ["article", "highlights"],
            "no column dialogue and no column summary; it has article, highlights",
            "set data.columns.dialogue article and data.columns.summary highlights",
        ),
        (["Dialogue", "SUMMARY"], "no column dialogue and no column summary", "dialogue Dialogue"),
        (["x", "y"], "it has x, y", "name the columns with data.columns"),
        ([], "it has none", "name the columns"),
    ],
)
def test_missing_columns_name_what_is_there(names: list[str], message: str, hint: str) -> None:
    with pytest.raises(RefusedError, match=message) as refused:
        rows.form_of(names, COLUMNS, "here")
    assert hint in refused.value.next


def test_dialogue() -> None:
    record = convert(
        {"id": 7, "dialogue": " A: hi\r\nB: yo\r", "summary": "They greet.\n", "kind": "chat"}, Form.DIALOGUE
    )
    assert record == Record("7", {"dialogue": "A: hi\nB: yo", "summary": "They greet."})


@pytest.mark.parametrize(
    ("row", "form", "reason"),
    [
        ({"dialogue": None, "summary": "b"}, Form.DIALOGUE, EMPTY),
        ({"dialogue": "a"}, Form.DIALOGUE, EMPTY),
        ({"dialogue": "a", "summary": " \r\n "}, Form.DIALOGUE, EMPTY),
        ({"messages": []}, Form.MESSAGES, EMPTY),
        ({"messages": None}, Form.MESSAGES, EMPTY),
        ({"messages": [USER, {"role": "assistant", "content": ""}]}, Form.MESSAGES, EMPTY),
        ({"messages": [USER]}, Form.MESSAGES, NO_ANSWER),
        ({"messages": [ANSWER]}, Form.MESSAGES, NO_ANSWER),
        ({"messages": [USER, ANSWER, USER]}, Form.MESSAGES, NO_ANSWER),
        ({"prompt": "a", "completion": ""}, Form.PROMPT, EMPTY),
        ({"prompt": [USER], "completion": []}, Form.PROMPT, EMPTY),
    ],
)
def test_rows_without_an_example(row: dict[str, Any], form: Form, reason: str) -> None:
    assert convert(row, form) == reason


@pytest.mark.parametrize(
    ("row", "form", "message"),
    [
        ({"dialogue": 3, "summary": "b"}, Form.DIALOGUE, "dialogue must be text, it is a number"),
        ({"dialogue": ["a"], "summary": "b"}, Form.DIALOGUE, "dialogue must be text, it is a list"),
        ({"messages": "Hi?"}, Form.MESSAGES, "messages must be a list of messages, it is text"),
        ({"messages": ["Hi?"]}, Form.MESSAGES, "message 1 of messages must have role and content, it is text"),
        (
            {"messages": [{"role": "human", "content": "a"}]},
            Form.MESSAGES,
            "message 1 of messages has the role 'human'",
        ),
        (
            {"messages": [USER, {"role": "assistant", "content": [{"type": "image"}]}]},
            Form.MESSAGES,
            "the content of message 2 of messages must be text, it is a list",
        ),
        ({"prompt": {"role": "user"}, "completion": "b"}, Form.PROMPT, "prompt must be a list of messages"),
    ],
)
def test_what_is_not_text_is_refused_with_its_place(row: dict[str, Any], form: Form, message: str) -> None:
    with pytest.raises(RefusedError, match=f"train.jsonl:7: {message}"):
        convert(row, form)


def test_prompt_and_completion_become_turns() -> None:
    both = convert({"prompt": "Sum up: hi", "completion": "Hi."}, Form.PROMPT)
    assert both == Record(
        "", {"messages": [{"role": "user", "content": "Sum up: hi"}, {"role": "assistant", "content": "Hi."}]}
    )
    assert convert({"prompt": [USER], "completion": [ANSWER]}, Form.PROMPT) == Record("", {"messages": [USER, ANSWER]})


def test_what_is_read_back_is_what_was_put_in() -> None:
    record = convert({"messages": [{"role": "system", "content": ""}, USER, ANSWER]}, Form.MESSAGES)
    assert isinstance(record, Record)
    example = examples.of_row({"id": "1", **record.fields}, Prompt())
    assert example.messages == (("system", ""), ("user", "Hi?"))
    assert (example.dialogue, example.summary) == ("Hi?", "Ho.")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "x"]), inner),
    max_leaves=8,
)
ROWS = st.dictionaries(
    st.sampled_from(["id", "dialogue", "summary", "messages", "prompt", "completion"]),
    JSON | st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": JSON})),
)


@given(ROWS, st.sampled_from(Form))
def test_any_row_is_an_example_or_a_reason_or_refused(row: dict[str, Any], form: Form) -> None:
    try:
        record = convert(row, form)
    except RefusedError:
        return
    if isinstance(record, str):
        assert record in (EMPTY, NO_ANSWER)
        return
    # It can be written, and is the same after it was read.
    written = json.dumps(record.fields, ensure_ascii=False).encode("utf-8")
    assert json.loads(written) == record.fields
    example = examples.of_row({"id": record.id or record.content_id(), **record.fields}, Prompt())
    assert example.summary.strip() == example.summary != ""
    assert "\r" not in example.summary
    assert record.question


@given(st.text() | st.text(st.characters(categories=["Cs", "Zs", "Cc"])))
def test_clean_text_stays_as_it_is(text: str) -> None:
    once = rows.clean(text)
    assert rows.clean(once) == once
    once.encode("utf-8")

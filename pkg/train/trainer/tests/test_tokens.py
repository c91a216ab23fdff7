"""The prompt and the answer as token ids: what is learned is the summary and its end, and nothing else."""

import pathlib

import pytest

import tiny
from summarizer_trainer import tokens
from summarizer_trainer.errors import RefusedError
from summarizer_trainer.examples import Example, summary_turns
from summarizer_trainer.spec import Prompt

PROMPT = Prompt()


def example(dialogue: str, summary: str) -> Example:
    return Example("one", summary_turns(PROMPT, dialogue), dialogue, summary)


@pytest.mark.parametrize(("shape", "end"), [("tiny_llama", "<|eot_id|>"), ("tiny_mistral", "</s>")])
def test_answer_is_the_summary_and_its_end(shape: str, end: str, request: pytest.FixtureRequest) -> None:
    tokenizer = tokens.load(request.getfixturevalue(shape))
    for row in tiny.rows(5):
        prompt_ids, completion_ids = tokens.render(tokenizer, example(row["dialogue"], row["summary"]), PROMPT)
        assert tokenizer.decode(completion_ids).strip() == row["summary"] + end
        assert completion_ids[-1] == tokenizer.eos_token_id
        assert completion_ids.count(tokenizer.eos_token_id) == 1
        assert row["dialogue"] in tokenizer.decode(prompt_ids)


@pytest.mark.parametrize("shape", ["tiny_llama", "tiny_mistral"])
def test_one_bos(shape: str, request: pytest.FixtureRequest) -> None:
    tokenizer = tokens.load(request.getfixturevalue(shape))
    prompt_ids, completion_ids = tokens.render(tokenizer, example("A: hi", "A greets."), PROMPT)
    assert (prompt_ids + completion_ids).count(tokenizer.bos_token_id) == 1
    # The tokenizer would add one by itself: the template's must not come on top.
    assert tokenizer("hi")["input_ids"][0] == tokenizer.bos_token_id


def test_date_is_that_of_the_specification(tiny_llama: pathlib.Path) -> None:
    tokenizer = tokens.load(tiny_llama)
    prompt_ids, _ = tokens.render(tokenizer, example("A: hi", "A greets."), Prompt(dateString="1 Jan 1999"))
    assert "Today Date: 1 Jan 1999" in tokenizer.decode(prompt_ids)


def test_prompt_is_what_serving_asks_with(tiny_mistral: pathlib.Path) -> None:
    tokenizer = tokens.load(tiny_mistral)
    one = example("A: hi", "A greets.")
    assert tokens.render_prompt(tokenizer, one.prompt(), PROMPT) == tokens.render(tokenizer, one, PROMPT)[0]


def test_turns_that_the_template_refuses(tiny_mistral: pathlib.Path) -> None:
    tokenizer = tokens.load(tiny_mistral)
    twice = Example("two", (("user", "a"), ("user", "b")), "b", "c")
    with pytest.raises(RefusedError, match=r"refuses the turns user, user: .*must alternate"):
        tokens.render(tokenizer, twice, PROMPT)


def test_system_turn_that_vanishes_before_an_answer(tiny_mistral: pathlib.Path, tiny_llama: pathlib.Path) -> None:
    turns = Example("three", (("system", "Be brief."), ("user", "a")), "a", "c")
    with pytest.raises(RefusedError, match=r"example three: .*writes the turns before an answer otherwise.*Be"):
        tokens.render(tokens.load(tiny_mistral), turns, PROMPT)
    prompt_ids, _ = tokens.render(tokens.load(tiny_llama), turns, PROMPT)
    assert "Be brief." in tokens.load(tiny_llama).decode(prompt_ids)


def test_what_follows_the_end_of_the_turn_is_not_learned(tiny_llama: pathlib.Path) -> None:
    tokenizer = tokens.load(tiny_llama)
    tokenizer.chat_template = (
        "{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>{{ m.content }}<|eot_id|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>{% endif %}"
    )
    _, completion_ids = tokens.render(tokenizer, example("A: hi", "A greets."), PROMPT)
    assert tokenizer.decode(completion_ids) == "A greets.<|eot_id|>"


def test_template_without_an_end_gets_one(tiny_llama: pathlib.Path) -> None:
    tokenizer = tokens.load(tiny_llama)
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.role }}:\n{{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:\n{% endif %}"
    )
    one = Example("four", (("user", "A: hi"),), "A: hi", "A greets.")
    _, completion_ids = tokens.render(tokenizer, one, PROMPT)
    assert tokenizer.decode(completion_ids) == "A greets.\n<|eot_id|>"


def test_model_without_a_chat_template(tiny_llama: pathlib.Path, tmp_path: pathlib.Path) -> None:
    tokenizer = tokens.load(tiny_llama)
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_bytes((tiny_llama / "config.json").read_bytes())
    with pytest.raises(RefusedError, match="no chat template") as refused:
        tokens.load(tmp_path)
    assert "instruct" in refused.value.next


def test_directory_without_a_tokenizer(tmp_path: pathlib.Path) -> None:
    with pytest.raises(RefusedError, match="tokenizer cannot be loaded"):
        tokens.load(tmp_path)

"""Turns examples into token ids by the model's own chat template, alike in preparation, training and judging."""

import pathlib
from typing import Any

from .errors import RefusedError, one_line
from .examples import Example, Message
from .spec import Prompt


def load(directory: pathlib.Path | str) -> Any:
    """The tokenizer of a model's directory, with the chat template that vLLM uses; raises RefusedError."""
    from transformers import AutoTokenizer

    try:
        # vLLM says the same: without it a tekken.json brings another tokenizer, and another template.
        tokenizer = AutoTokenizer.from_pretrained(str(directory), mistral_format=False)
    except Exception as error:
        # Each kind of tokenizer has its own errors.
        raise RefusedError(
            f"{directory}: its tokenizer cannot be loaded: {one_line(error)}",
            next="name a model that transformers loads without code of its own",
        ) from error
    if not tokenizer.chat_template:
        raise RefusedError(
            f"{directory}: its tokenizer has no chat template, and the model is served through one",
            next="name the instruct version of the model (usually -Instruct, -it or -Chat)",
        )
    return tokenizer


def render(tokenizer: Any, example: Example, prompt: Prompt) -> tuple[list[int], list[int]]:
    """The token ids of the turns before the answer, and of the answer with the token that ends it.

    Both come from the template alone, which also writes the one BOS. Raises RefusedError when the template refuses the
    turns, or when the answer would change how the turns before it are tokenized.
    """
    prompt_ids = render_prompt(tokenizer, example.prompt(), prompt)
    full_ids = _apply(tokenizer, example.prompt() + example.completion(), prompt, asks=False)
    if full_ids[: len(prompt_ids)] != prompt_ids:
        at = next((i for i, (a, b) in enumerate(zip(prompt_ids, full_ids, strict=False)) if a != b), len(full_ids))
        raise RefusedError(
            f"example {example.id}: the chat template writes the turns before an answer otherwise than when it asks "
            f"for one (at token {at}: {tokenizer.decode(prompt_ids[at : at + 8])!r} became "
            f"{tokenizer.decode(full_ids[at : at + 8])!r})",
            next="name another model: this one's template cannot be trained on as it is served",
        )
    return prompt_ids, _ended(tokenizer, full_ids[len(prompt_ids) :])


def render_prompt(tokenizer: Any, messages: list[Message], prompt: Prompt) -> list[int]:
    """The token ids that ask for an answer, as the server makes them; raises RefusedError."""
    return _apply(tokenizer, messages, prompt, asks=True)


def _apply(tokenizer: Any, messages: list[Message], prompt: Prompt, asks: bool) -> list[int]:
    try:
        encoded = tokenizer.apply_chat_template(
            messages,
            tokenize=True,
            return_dict=True,
            add_generation_prompt=asks,
            date_string=prompt.dateString,
        )
    except Exception as error:
        # A template refuses by Jinja's raise_exception, and an unusual one fails by any other error.
        roles = ", ".join(message["role"] for message in messages)
        raise RefusedError(
            f"the model's chat template refuses the turns {roles}: {one_line(error)}",
            next="put everything into alternating user and assistant turns, or name another model",
        ) from error
    return list(encoded["input_ids"])


def _ended(tokenizer: Any, ids: list[int]) -> list[int]:
    """Leaves out what a template writes after the end of the turn, which no server ever generates."""
    special = {token_id for token_id, token in tokenizer.added_tokens_decoder.items() if token.special}
    last = next((i for i in reversed(range(len(ids))) if ids[i] in special), None)
    if last is not None and not tokenizer.decode(ids[last + 1 :]).strip():
        return ids[: last + 1]
    # The template ends no turn. Without an end the model would learn never to stop.
    return [*ids, tokenizer.eos_token_id]

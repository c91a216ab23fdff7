"""A served release as its clients see it: which models it lists, and what they answer."""

import asyncio
import time
from typing import Any

import httpx

from .errors import RefusedError, TrainerError, one_line
from .examples import Message

LIST_SECONDS = 120.0
"""How long a model may take to be listed: while a rollout ends, some requests still reach pods of the old one."""
ANSWER_SECONDS = 300.0
"""How long one answer may take, with every further try."""
PAUSE_SECONDS = 2.0
"""Between two tries."""
# Busy, starting or ending: vLLM says 500 while it shuts down. 404 comes from a pod without the adapter.
_PASSING = (404, 408, 425, 429, 500, 502, 503, 504)


class Server:
    """An OpenAI-compatible server."""

    def __init__(self, url: str) -> None:
        """`url` is without /v1."""
        self._url = url.rstrip("/")
        self._client = httpx.AsyncClient(base_url=self._url, timeout=httpx.Timeout(120.0, connect=10.0))

    async def __aenter__(self) -> "Server":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    async def await_models(self, names: list[str], seconds: float = LIST_SECONDS) -> None:
        """Waits until all are listed; raises RefusedError when they are not, TrainerError when nobody answers."""
        end = time.monotonic() + seconds
        while True:
            listed: list[str] | None = None
            try:
                answer = await self._client.get("/v1/models")
                answer.raise_for_status()
                listed = [model["id"] for model in answer.json()["data"]]
                why = ""
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                why = one_line(error)
            missing = [name for name in names if name not in (listed or [])]
            if not missing:
                return
            if time.monotonic() > end:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        if listed is None:
            raise TrainerError(
                f"{self._url} does not list its models after {seconds:.0f} s: {why}",
                next="see whether the release is ready",
            )
        raise RefusedError(
            f"{self._url} does not serve {', '.join(missing)}: it lists {', '.join(listed) or 'nothing'}",
            next="see the log of the release: vLLM says there why it does not load an adapter",
        )

    async def answer(self, model: str, messages: list[Message], max_tokens: int, date_string: str) -> str:
        """The model's greedy answer; raises RefusedError when the request is refused, TrainerError when time is up."""
        request = {
            "model": model,
            "messages": messages,
            "temperature": 0,
            "max_tokens": max_tokens,
            "chat_template_kwargs": {"date_string": date_string},
        }
        end = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                answer = await self._client.post("/v1/chat/completions", json=request)
                if answer.status_code == httpx.codes.OK:
                    return _text(answer.json())
                why = f"{answer.status_code} {_said(answer)}"
                if answer.status_code not in _PASSING:
                    raise RefusedError(f"{self._url} refuses to answer as {model}: {why}")
            except httpx.HTTPError as error:
                why = f"{type(error).__name__}: {one_line(error)}"
            if time.monotonic() > end:
                raise TrainerError(f"{self._url} has given no answer as {model} in {ANSWER_SECONDS:.0f} s: {why}")
            await asyncio.sleep(PAUSE_SECONDS)


def _text(document: Any) -> str:
    """The text of a chat completion; an answer that ends at once has none."""
    return str(document["choices"][0]["message"].get("content") or "")


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return str(answer.text)[:300]

"""The clients for tests: a service that answers what a test says, and talks that are led by hand, without waiting."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx

from actions.policy import Retry
from orchestrator.client import Client
from orchestrator.clients.aio import AsyncClient
from orchestrator.clients.core import Core
from orchestrator.clients.requests import Request

URL = "https://umbel.example:8700"
KEY = "umb_0123456789ab_secret-of-the-tests"
AT_ONCE = Retry(4, initial=0, cap=0)
NOW = "2026-01-31T12:00:00Z"


class Service:
    """Answers in turn what it was told to; an exception stands for no answer, the last one is repeated."""

    def __init__(
        self, *answers: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]
    ) -> None:
        self._answers = answers
        self.heard: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request)
        answer = self._answers[min(len(self.heard), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)

    def client(self, *, retries: Retry | int = AT_ONCE, key: str | None = KEY) -> Client:
        return Client(URL, key, retries=retries, transport=httpx.MockTransport(self))

    def async_client(self, *, retries: Retry | int = AT_ONCE, key: str | None = KEY) -> AsyncClient:
        return AsyncClient(URL, key, retries=retries, transport=httpx.MockTransport(self))

    def both(self) -> tuple[Client, AsyncClient]:
        return self.client(), self.async_client()


async def value(result: Any) -> Any:
    """What a method of either client gave: its value, or all that it yields."""
    if inspect.isawaitable(result):
        return await result
    if hasattr(result, "__aiter__"):
        return [each async for each in result]
    return list(result) if isinstance(result, Iterator) else result


def json(status: int, body: Any, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(status, json=body, headers=named)


def problem(status: int, code: str, detail: str = "no", **more: Any) -> httpx.Response:
    headers = {"content-type": "application/problem+json"}
    if (seconds := more.pop("retry_after", None)) is not None:
        headers["retry-after"] = str(seconds)
    body = {
        "type": f"/problems/{code}",
        "title": code,
        "status": status,
        "detail": detail,
        "code": code,
    } | more
    return httpx.Response(status, json=body, headers=headers)


def run_standing(run: str = "run_a1", status: str = "succeeded", **more: Any) -> dict[str, Any]:
    """A run as the service tells it."""
    return {
        "run": run, "action": "ADD", "status": status, "attempts": 1, "most_attempts": 1, "arguments": {},
        "queue": "actions", "principal": None, "tenant": "", "conversation": None, "turn": None,
        "created": NOW, "since": NOW, "began": NOW, "until": None, "deadline": None, "why": None,
        "ladder": None, "error": None, "result": 3,
    } | more  # fmt: skip


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def core_of(clock: Clock | None = None, draw: float = 0.5, retries: Retry | int | None = None) -> Core:
    more = {} if retries is None else {"retries": retries}
    return Core(URL, KEY, clock=clock or Clock(), draw=lambda: draw, **more)


def lead(
    talk: Any, answers: Iterable[httpx.Response | Exception], clock: Clock | None = None
) -> tuple[Any, list[Request[Any] | float]]:
    """Carry out a talk with these answers: its value (or the error it raised), and its steps. Waits move the clock."""
    left, steps, heard = iter(answers), [], None
    while True:
        try:
            step = talk.send(heard)
        except StopIteration as end:
            return end.value, steps
        except Exception as error:  # noqa: BLE001 - a test asks which
            return error, steps
        steps.append(step)
        if isinstance(step, float):
            heard = None
            if clock is not None:
                clock.now += step
        else:
            heard = next(left)
            if clock is not None and isinstance(heard, httpx.Response):
                clock.now += float(heard.headers.get("took", 0))

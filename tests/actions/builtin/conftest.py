from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from actions.states import StateMachine


class View:
    """A conversation that stands still."""

    def __init__(
        self,
        messages: list[dict[str, Any]] | None = None,
        *,
        state: str | None = None,
        revision: int = 1,
        machine: StateMachine | None = None,
        context: dict[str, Any] | None = None,
        agent: str = "agent",
        participants: dict[str, str] | None = None,
        memory: Any = None,
    ) -> None:
        self.id = "conv_a1"
        self.state = state
        self.revision = revision
        self.machine = machine
        self._messages = messages or []
        self._context = context or {}
        self._agent = agent
        self._participants = participants or {}
        self._memory = memory

    async def context(self) -> dict[str, Any]:
        return copy.deepcopy(self._context)

    async def messages(self, last: int = 20) -> list[dict[str, Any]]:
        return copy.deepcopy(self._messages[-last:])

    async def memory(self) -> Any:
        return copy.deepcopy(self._memory)

    async def agent(self) -> str:
        return self._agent

    async def participants(self) -> dict[str, str]:
        return dict(self._participants)


@pytest.fixture
def view() -> Callable[..., View]:
    return View

"""Events of the store in, changes of the board out.

Reads the conversations' event streams where it left off, a few times a second, and the records of the runs
that they name: it needs nothing that another program could not have.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from actions.messages import Payload
from orchestrator.store.events import Event
from orchestrator.store.records import RunView
from orchestrator.store.store import Store
from umbel.demo.board import Board, Step, Watched

_PAUSE_S: Final = 0.04
_LEADS: Final = ".next"


class Watcher:
    """Follows conversations."""

    def __init__(self, store: Store, board: Board, conversations: Mapping[str, str]) -> None:
        """Follow these conversations, ids to names."""
        self._store = store
        self._board = board
        self._names = dict(conversations)
        self._after = dict.fromkeys(conversations, "0")
        self._zero = 0.0
        self._skew = 0.0

    async def start(self) -> None:
        """Let the clock begin: at zero now, by Redis's clock."""
        seconds, micros = await self._store.connection.guard(self._store.connection.redis.time())
        self._zero = float(seconds) + float(micros) / 1e6
        self._skew = self._zero - time.time()

    def now(self) -> float:
        """Seconds since the start."""
        return time.time() + self._skew - self._zero

    async def follow(self) -> None:
        """Keep the board up to date until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_PAUSE_S)

    async def look(self) -> None:
        """Read everything that is new, of all conversations in the order in which it happened."""
        fresh: list[tuple[Event, str]] = []
        for conversation, name in self._names.items():
            events = await self._store.events.read(conversation, self._after[conversation])
            fresh += ((event, name) for event in events)
            if events:
                self._after[conversation] = events[-1].id
        views = await self._views({event.change["run"]: None for event, _ in fresh if "run" in event.change})
        for event, name in sorted(fresh, key=lambda pair: pair[0].at_ms):
            self._apply(name, event, views)
        await self._read_malformed()
        await self._read_settled([view for view in views.values() if view.undo_of])

    async def _views(self, runs: Mapping[str, None]) -> dict[str, RunView]:
        views = await self._store.runs.read_all(list(runs)) if runs else []
        return {view.id: view for view in views if view is not None}

    def _apply(self, name: str, event: Event, views: Mapping[str, RunView]) -> None:
        change = event.change
        if "state" in change:
            self._board.talks[name].state = change["state"]
        if "run" not in change:
            return
        view = views.get(change["run"])
        run = self._board.runs.get(change["run"]) or _watched(change["run"], name, view)
        if view is not None and view.result is not None:
            run.result = from_json(view.result)
            run.note = _error_in(run.result)
        step = Step(
            at=event.at_ms / 1000 - self._zero,
            status=change["status"],
            attempt=int(change.get("attempt") or 0),
            why=change.get("why", ""),
            worker=change.get("worker", ""),
            note=_error_in(from_json(view.error)) if view is not None and view.error else "",
        )
        self._board.add(run, step)

    async def _read_malformed(self) -> None:
        """Fetch what the model wrote where a call could not be read: a run's record does not keep that."""
        for run in self._board.calls():
            if run.is_over and not run.action and not run.arguments and not run.written:
                conversation = next(key for key, name in self._names.items() if name == run.conversation)
                messages = await self._store.conversations.messages(conversation)
                run.written = _written(messages, run) or " "

    async def _read_settled(self, undos: list[RunView]) -> None:
        """Read the steps of these undos' chains again: what became of them follows their own last event."""
        chains = {view.id.partition(".undo")[0].rpartition(".")[0] for view in undos}
        steps = [run for run in self._board.calls() if run.run.rpartition(".")[0] in chains]
        for view in (await self._views(dict.fromkeys(step.run for step in steps))).values():
            run = self._board.runs[view.id]
            run.undo = view.undo or ""
            if view.told is not None:
                run.result = from_json(view.told)
                run.note = _error_in(run.result)


def _watched(run: str, conversation: str, view: RunView | None) -> Watched:
    watched = Watched(run, conversation, leads=run.endswith(_LEADS))
    if view is not None and not watched.leads:
        watched.undoes = view.undo_of or ""
        payload = Payload.decode(view.payload)
        watched.called, watched.action = payload.called, payload.action
        watched.arguments, watched.key = payload.arguments, payload.key
    return watched


def _written(messages: list[dict[str, Any]], run: Watched) -> str:
    """The argument text of the newest call of this name that stands at this run's position."""
    position = int(run.run.rpartition(".")[2])
    for message in reversed(messages):
        calls = message.get("tool_calls") or []
        if len(calls) > position and calls[position]["function"]["name"] == run.called:
            return str(calls[position]["function"]["arguments"])
    return ""


def _error_in(told: Any) -> str:
    return str(told["error"]) if isinstance(told, dict) and "error" in told else ""

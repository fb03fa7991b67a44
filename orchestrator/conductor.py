"""The face for those who hand work in: conversations, replies, single runs, and their results.

In: what a person or a service brings (a reply of a model, a user's message, a call). Out: ids at once, results when
they exist. It never waits for a run unless it is asked to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.errors import InvalidId
from actions.messages import LIVE_TURN
from orchestrator import ids, listing, reading
from orchestrator.answers import Ended, Posted
from orchestrator.batches import Batches
from orchestrator.decisions import Decisions
from orchestrator.postings import Postings
from orchestrator.rooms import Rooms
from orchestrator.second_chances import SecondChances
from orchestrator.submission import Submission
from orchestrator.waiting import until

if TYPE_CHECKING:
    from orchestrator.listing import RunFilter, RunPage
    from orchestrator.reading import Standing

__all__ = ["Conductor", "Ended", "Posted", "Submission"]


class Conductor(Batches, Rooms, Postings, Decisions, SecondChances):
    """Hands work to the store."""

    async def interrupt(self, turn: str) -> str:
        """Let the chain of a turn start no further step; what it did stays done, and the results come so far.

        Returns:
            "interrupted": no step follows the one that runs, if one does. "terminal": it had ended, or was being
            undone. "no_chain": the calls of its round are no chain. "missing".

        Raises:
            InvalidId: this is no id of a turn.
        """
        if ids.kind(turn) != "turn":
            raise InvalidId(f"{turn[:80]!r} is no id of a turn", fix="Ids of turns begin with turn_")
        return await self._store.conversations.interrupt(turn)

    async def wait_for_turn(self, turn: str, *, timeout_s: float = 30.0) -> str:
        """Wait until a turn has ended; return how: a word of `TERMINAL_TURN` (such as "done"), or "missing".

        Raises:
            TimeoutError: it has not, in time.
        """

        async def probe() -> tuple[str, str | None]:
            status = (await self._store.conversations.turn(turn)).get("s", "missing")
            return status, None if status in LIVE_TURN else status

        return await until(f"turn {turn}", probe, timeout_s)

    async def cancel(self, id: str) -> str:  # noqa: A002 - the word of those who call it
        """Cancel a run, a turn or a conversation's live turn and all that waits behind it, by what its id begins with.

        Returns:
            "cancelled": it has ended. "cancelling": handlers are being stopped (within a second; a sync one in a
            thread goes on by itself, without effect on our records). "undoing": what a failed chain did is being taken
            back, which nothing stops. "terminal": it had ended before. "missing".

        Raises:
            InvalidId: it begins with none of `run_`, `turn_`, `conv_`.
        """
        match ids.kind(id):
            case "run":
                return await self._store.runs.cancel(id)
            case "turn":
                return await self._store.conversations.cancel_turn(id)
            case "conv":
                return await self._store.conversations.cancel(id)

    async def read(self, id: str) -> Standing:  # noqa: A002 - as above
        """How a run, a turn or a conversation stands, and why it waits; arguments are masked.

        Raises:
            InvalidId: it begins with none of `run_`, `turn_`, `conv_`.
            UnknownRecord, UnknownConversation: there is no such record (any more).
        """
        return await reading.read(id, self._store, self._registry)

    async def list_runs(
        self, tenant: str | None, which: RunFilter | None = None, *, limit: int = 50, cursor: str = ""
    ) -> RunPage:
        """The newest runs of a tenant (None: of all, for operators), a page at a time; see `orchestrator.listing`.

        Raises:
            InvalidCursor: the cursor is none that a page named.
            DeclarationError: there is no such status.
        """
        chosen = which or listing.RunFilter()
        return await listing.list_runs(
            self._store, self._registry, tenant, chosen, limit=limit, cursor=cursor
        )

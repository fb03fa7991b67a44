"""Follow-ups: what a handler's `FollowUp` directives become.

In: a succeeded attempt and its directives. Out: its finish with a run for each follow-up; the store records these in
the same step as the result. A follow-up that is refused is a run too, with its refusal as its result.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from actions.directives import FollowUp
from actions.errors import StoreUnavailable, UnknownConversation
from actions.messages import Status
from orchestrator.follow_ups import draft_follow_up
from orchestrator.store.incoming import Effect, EffectKind
from workers import finishes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actions.directives import Directive
    from orchestrator.store.incoming import Finish
    from orchestrator.store.records import ConversationRecord
    from workers.flight import Flight
    from workers.means import Means

log: Final = logging.getLogger("umbel.execution")

PAUSE_S: Final = 0.5
"""Seconds between two looks for a store that is away: the handler has done its work, and is not to do it again."""


async def followed(finish: Finish, flight: Flight, directives: Iterable[Directive], means: Means) -> Finish:
    """The same end with its follow-ups; what did not succeed has none."""
    wanted = [each for each in directives if isinstance(each, FollowUp)]
    if not wanted or finish.verdict != Status.SUCCEEDED:
        return finish
    run, payload = flight.run, flight.payload
    conversation = await _conversation(run.conversation, means) if run.conversation else None
    left = None if flight.expires is None else max(0, round((flight.expires - time.monotonic()) * 1000))
    effects: list[Effect] = []
    for number, directive in enumerate(wanted):
        child = draft_follow_up(
            directive, run, payload, number, conversation, means.registry, left, audit=means.bounds.audit
        )
        effects.append(Effect(EffectKind.FOLLOW, child.id, to_json(child.row()).decode()))
    return finishes.with_effects(finish, tuple(effects))


async def _conversation(name: str, means: Means) -> ConversationRecord | None:
    """What a follow-up may do is decided by the conversation as it is now; None if that was forgotten."""
    while True:
        try:
            return await means.store.conversations.read(name)
        except UnknownConversation:
            return None
        except StoreUnavailable as error:
            log.warning("%s; the follow-ups of a run in %s wait", error, name)
            await asyncio.sleep(PAUSE_S)

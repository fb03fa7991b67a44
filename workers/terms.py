"""On which terms a run is carried out: how long an attempt may take, and how it is tried again.

In: what was claimed, its action and its payload. Out: seconds and a policy. A submitter may shorten the time of the
handler's attempts and say how often there are; an undo has terms of its own, and an on_error is called once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actions.policy import Retry
from orchestrator import turns

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.messages import Payload
    from orchestrator.store.records import Claimed

NO_RETRY: Final = Retry(0)
"""For what is final."""


def retry_of(run: Claimed, action: Action | None, payload: Payload) -> Retry:
    """How it is tried again: as its submitter said, after what its action says, else as its action says."""
    if run.undoes:
        return action.undo_retry if action is not None else NO_RETRY
    if run.rescue:
        return NO_RETRY
    return payload.retry_policy(action.retry if action is not None else None) or NO_RETRY


def limit_of(run: Claimed, action: Action | None, payload: Payload) -> float | None:
    """Seconds that an attempt may take: the action's own limit, or less if its submitter said so; None: no limit."""
    if action is None:
        return turns.TIMEOUT_S if payload.action == turns.ADVANCE else None
    if run.undoes or run.rescue:
        aside = action.undo_timeout if run.undoes else action.rescue_timeout
        return aside.total_seconds() if aside is not None else None
    own = action.timeouts.attempt
    if payload.timeout_ms is None:
        return own.total_seconds() if own is not None else None
    asked = payload.timeout_ms / 1000
    return asked if own is None else min(own.total_seconds(), asked)

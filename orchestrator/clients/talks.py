"""What takes the client more than one request: waiting for an end, and listening. Both clients bind these as methods.

In: the core and what the caller gives. Out: a `Talk` of requests and pauses, or a `Following`; no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from actions.messages import LIVE_TURN, TERMINAL
from orchestrator.clients.conversations import turn as read_turn
from orchestrator.clients.core import SLICE, Core, Talk
from orchestrator.clients.following import Following
from orchestrator.clients.paths import OfConversation, OfRun, OfTurn, checked
from orchestrator.clients.requests import Length, with_wait
from orchestrator.clients.submissions import run as read_run
from orchestrator.clients.submissions import submit, submit_and_wait
from orchestrator.wire import RunStanding, Submitted, TurnStanding

if TYPE_CHECKING:
    from actions.policy import Retry


def wait(core: Core, run: str | OfRun, *, timeout_s: float = 30.0) -> Talk[RunStanding]:
    """Wait until a run has ended, and return how it stands then.

    The service answers when it has, so nothing is asked twice a second; and it may be away for a while meanwhile.

    Raises:
        TimeoutError: it has not, in time; it goes on by itself.
        NotFound: there is no such run (any more).
        ApiError: the service refuses to tell.
    """
    id = checked(run, "run")  # noqa: A001 - the run's
    asked = read_run(id)
    return core.waiting(lambda s: with_wait(asked, s), _run_is_over, f"run {id}", timeout_s)


def wait_for_turn(core: Core, turn: str | OfTurn, *, timeout_s: float = 30.0) -> Talk[TurnStanding]:
    """Wait until a turn has ended, and return how it stands then: "done", "failed", "max_rounds", "cancelled".

    One that is "injected" has ended too: what was said went on in the turn `into`.

    Raises:
        TimeoutError: it has not, in time.
        NotFound: there is no such turn (any more).
        ApiError: the service refuses to tell.
    """
    id = checked(turn, "turn")  # noqa: A001 - the turn's
    asked = read_turn(id)
    return core.waiting(
        lambda s: with_wait(asked, s), lambda found: found.status not in LIVE_TURN, f"turn {id}", timeout_s
    )


def call(
    core: Core,
    action: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    timeout_s: float = 30.0,
    delay: Length | None = None,
    deadline: Length | datetime | None = None,
    retry: Retry | int | None = None,
    timeout: Length | None = None,
    key: str | None = None,
    traceparent: str | None = None,
) -> Talk[RunStanding]:
    """Submit one call and wait for its end, in one request where it ends soon.

    It takes what `submit` takes; `timeout_s` says how many seconds to wait.

    Raises:
        TimeoutError: it has not ended in time; it goes on by itself.
        ApiError: it could not be submitted.
    """
    asked = submit(
        action, arguments, delay=delay, deadline=deadline, retry=retry, timeout=timeout,
        key=key, traceparent=traceparent,
    )  # fmt: skip
    return _call(core, submit_and_wait(asked, min(timeout_s, SLICE)), timeout_s)


def _call(core: Core, first: Any, timeout_s: float) -> Talk[RunStanding]:
    limit = core.clock() + timeout_s
    found: RunStanding | Submitted = yield from core.sending(first)
    if isinstance(found, Submitted):
        left = max(0.0, limit - core.clock())
        return (yield from wait(core, found.run, timeout_s=left))
    return found


def events(
    core: Core,
    id: str | OfRun | OfConversation,  # noqa: A002 - any id's
    *,
    after: str = "",
    from_now: bool = False,
) -> Following:
    """Listen to a conversation or a run: what changes, as it changes, over as many connections as that takes.

    Nothing is left out and nothing comes twice. Where the service keeps what was missed no more, a `StreamReset` tells
    how things stand instead. A run's events end with a `StreamEnd`; a conversation's go on until you stop.

    Args:
        core: the client's own.
        id: of a conversation or a run, or an answer that names one.
        after: the `id` of the last event that you know; without it they begin with the oldest that is kept.
        from_now: begin with a `StreamReset` of this moment, then tell what is new.

    Raises:
        NotFound: there is no such conversation or run (any more).
        Unavailable: the service was away for a minute.
        ApiError: it refuses to tell.
    """
    return Following(core, id, after, from_now=from_now)


def _run_is_over(found: RunStanding) -> bool:
    return found.status in TERMINAL

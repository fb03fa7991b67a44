"""What a client decides about what is there: to cancel, interrupt, approve, deny, or run it again.

Each function makes one request (`approvals`: a `Paging` of them), which may be sent again: the service answers a
repetition as it answered the first.
"""

from __future__ import annotations

from typing import Final

from orchestrator.clients.paging import Paging
from orchestrator.clients.paths import OfConversation, OfRun, OfTurn, checked, path, placed
from orchestrator.clients.requests import Request, body, query, reads
from orchestrator.wire import Approvals, Submitted, Verdict, Wanted

_PAGE: Final = 100
"""Approvals of one page; their arguments come whole."""


def cancel(id: str | OfRun | OfTurn | OfConversation) -> Request[Verdict]:  # noqa: A002 - any id's
    """Cancel a run, a turn, or a conversation's live turn and all that waits behind it.

    Args:
        id: of one of these, or an answer that names it: what `post_reply` answered stands for its turn.

    Returns:
        The verdict: "cancelled" (it has ended), "cancelling" (its handlers are being stopped), "terminal" (it had
        ended before).

    Raises:
        Conflict: what a failed chain did is being taken back, which nothing stops.
        NotFound: there is no such thing (any more).
    """
    return Request("POST", path(*placed(id, "run", "turn", "conv"), "cancel"), reads(Verdict))


def interrupt(turn: str | OfTurn) -> Request[Verdict]:
    """Let the chain of a turn start no further step; what it did stays done.

    Raises:
        Conflict: it has ended, is being undone, or is no chain.
        NotFound: there is no such turn (any more).
    """
    return Request("POST", path("turns", checked(turn, "turn"), "interrupt"), reads(Verdict))


def approve(run: str | OfRun, *, digest: str | None = None) -> Request[Verdict]:
    """Let a run go on that waits for an approval.

    Args:
        run: the run. An entry of `approvals` is approved as it was seen: its digest is sent.
        digest: of what was seen (`Wanted.digest`): it is not approved if it asks for something else by now.

    Raises:
        Conflict: it asks for something else, or was decided otherwise.
    """
    where = path("runs", checked(run, "run"), "approve")
    seen = run.digest if digest is None and isinstance(run, Wanted) else digest
    return Request("POST", where, reads(Verdict), content=body(digest=seen))


def deny(run: str | OfRun, reason: str | None = None) -> Request[Verdict]:
    """End a run that waits for an approval as denied; the model is told the reason.

    Raises:
        Conflict: it was decided otherwise.
    """
    where = path("runs", checked(run, "run"), "deny")
    return Request("POST", where, reads(Verdict), content=body(reason=reason))


def replay(run: str | OfRun, *, new_key: bool = False) -> Request[Submitted]:
    """Run again what ended dead, failed or timed out, as a new run; there is one replay, however often it is asked for.

    Args:
        run: the one that ended.
        new_key: whether its handler gets a key of its own, so that a service outside takes it for something new.

    Raises:
        Conflict: it did not end so, or was discarded.
    """
    where = path("runs", checked(run, "run"), "replay")
    content = body(new_key=new_key or None)
    return Request("POST", where, reads(Submitted), content=content)


def approvals(*, limit: int | None = None) -> Paging[Wanted]:
    """What waits for a person, oldest first, with the arguments that would be approved.

    Args:
        limit: at most so many; None: all.
    """
    first = Request("GET", path("approvals"), reads(Approvals), query(limit=_PAGE))
    return Paging(first, lambda page: page.approvals, limit)

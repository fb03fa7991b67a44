"""Replies that wait until another turn has ended: what is known of one in, a run's payload out, and back.

Such a reply is read when it is posted and planned when its turn comes, by the run that leads its turn: what it may
do is judged by the conversation as it is then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actions.errors import UnreadableRecord
from actions.limits import Lock
from actions.messages import Payload, Reply
from orchestrator.modes import Manner


@dataclass(frozen=True, slots=True)
class WaitingReply:
    """A reply that waits."""

    reply: Reply
    """What intake read."""
    manner: Manner
    """How its calls are to be run."""
    goes_on: bool
    """Whether the model is asked when its round is complete."""
    next_mode: str = ""
    """How the calls of its later replies are run; empty: as the conversation says."""


def payload_of(action: str, waiting: WaitingReply) -> bytes:
    """Encode the payload of the run that opens a round with it; `action` is what leading runs are called."""
    manner = waiting.manner
    told: dict[str, Any] = {
        "reply": waiting.reply.model_dump(mode="json", exclude_defaults=True),
        "goes_on": waiting.goes_on,
        "next": waiting.next_mode,
        "merge": manner.merge,
        "base": dict(manner.base),
        "locks": [[lock.key, lock.policy, lock.places] for lock in manner.locks],
    }
    return Payload(action, told, mode=manner.mode, trace=manner.trace).encode()


def waiting_reply(payload: Payload) -> WaitingReply | None:
    """The reply that a leading run was made for; None: it asks the model.

    Raises:
        UnreadableRecord: there is one, and it is damaged or was written by a newer version.
    """
    told = payload.arguments
    if "reply" not in told:
        return None
    try:
        locks = tuple(Lock(key, policy=policy, places=places) for key, policy, places in told["locks"])
        manner = Manner(payload.mode, told["merge"], told["base"], locks, trace=payload.trace)
        return WaitingReply(Reply.model_validate(told["reply"]), manner, told["goes_on"], told["next"])
    except (LookupError, ValueError, TypeError) as error:
        raise UnreadableRecord(
            f"a reply that waited cannot be read: {type(error).__name__}",
            fix="start workers of the version that accepted it",
        ) from None

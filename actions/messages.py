"""Ids, statuses, and what intake reads out of a reply.

In: a provider's reply as intake understood it. Out: models that every layer shares. What rides in a run's record to the
worker stands in `actions.payload` and is handed on from here.
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any, Final, NewType

from pydantic import AfterValidator, BaseModel, ConfigDict

from actions.payload import Payload, mended

__all__ = [
    "LIVE_TURN", "MAX_RAW", "TERMINAL", "TERMINAL_TURN", "Call", "CallError", "ConversationId", "Payload", "Reply",
    "RunId", "Status", "TurnId", "TurnStatus", "conversation_id_from_key", "idempotency_key", "mended",
    "new_conversation_id", "new_run_id", "new_turn_id", "run_id_from_key", "run_id_of", "turn_id_from_key",
]  # fmt: skip

ConversationId = NewType("ConversationId", str)
"""`conv_` + cell letter + 12 base-62 characters."""
TurnId = NewType("TurnId", str)
"""`turn_` + cell letter + 12 base-62 characters."""
RunId = NewType("RunId", str)
"""`run_` + cell letter + 12 base-62 characters; of a turn also `.round.position`."""

MAX_RAW: Final = 2_000
"""Characters kept of a call's argument text: enough to see what was meant, too few to fill the store."""

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS: Final = [low + high for high in _DIGITS for low in _DIGITS]
_WIDTH: Final = 12


def _base62(number: int) -> str:
    """Twelve digits, the lowest first; made two at a time, for each run has such an id."""
    pairs: list[str] = []
    for _ in range(_WIDTH // 2):
        number, rest = divmod(number, 3_844)
        pairs.append(_PAIRS[rest])
    return "".join(pairs)


def _digest(*parts: str | int, size: int) -> bytes:
    """Digest the parts so that no two different lists of parts read the same (each is led by its length)."""
    told = "".join(f"{len(str(part))}:{part}" for part in parts)
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def new_conversation_id(cell: str = "a") -> ConversationId:
    """Return a fresh random id in this cell."""
    return ConversationId(f"conv_{cell}{_base62(secrets.randbits(128))}")


def new_turn_id(cell: str = "a") -> TurnId:
    """Return a fresh random id in this cell."""
    return TurnId(f"turn_{cell}{_base62(secrets.randbits(128))}")


def new_run_id(cell: str = "a") -> RunId:
    """Return a fresh random id for a run without a turn (called from outside, or replayed)."""
    return RunId(f"run_{cell}{_base62(secrets.randbits(128))}")


def conversation_id_from_key(tenant: str, key: str, cell: str = "a") -> ConversationId:
    """Return the one conversation id that belongs to an idempotency key of a tenant."""
    number = int.from_bytes(_digest("conversation", tenant, key, size=16), "big")
    return ConversationId(f"conv_{cell}{_base62(number)}")


def turn_id_from_key(conversation_id: str, key: str, cell: str = "a") -> TurnId:
    """Return the one turn id that belongs to an idempotency key of a conversation."""
    number = int.from_bytes(_digest(conversation_id, key, size=16), "big")
    return TurnId(f"turn_{cell}{_base62(number)}")


def run_id_from_key(tenant: str, key: str, cell: str = "a") -> RunId:
    """Return the one id of a run without a turn that belongs to an idempotency key of a tenant."""
    return RunId(f"run_{cell}{_base62(int.from_bytes(_digest('run', tenant, key, size=16), 'big'))}")


def run_id_of(turn_id: str, round: int, position: int) -> RunId:  # noqa: A002 - the design's word
    """Return the id of the run at a position (from 0) of a round (from 0) of a turn."""
    return RunId(f"run_{turn_id[5:]}.{round}.{position}")


def idempotency_key(conversation_id: str, turn_id: str, round: int, position: int) -> str:  # noqa: A002
    """Return the key a handler passes on, 32 hex characters, the same for each attempt of the run.

    It is never made of the provider's call id: providers repeat those.
    """
    count, place = (
        str(round),
        str(position),
    )  # as `_digest` writes them, at half its price: each call has such a key
    told = f"{len(conversation_id)}:{conversation_id}{len(turn_id)}:{turn_id}{len(count)}:{count}{len(place)}:{place}"
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Status(StrEnum):
    """Where a run stands in its life; the last eight are terminal and never change."""

    BLOCKED = "blocked"
    """Others have to end first."""
    READY = "ready"
    """It may be claimed now."""
    WAITING = "waiting"
    """For a lock, a limit, the end of a backoff, or its delay; the record says for which."""
    RUNNING = "running"
    """An attempt of it is carried out."""
    CANCELLING = "cancelling"
    """Its handler was asked to stop."""
    SUCCEEDED = "succeeded"
    """Its handler gave a value, or the check after an unknown outcome found one."""
    FAILED = "failed"
    """Its handler raised for the last time, or nobody knows what its last attempt did and it does not try again."""
    TIMED_OUT = "timed_out"
    """Its last attempt took too long, or gave no sign of life."""
    CANCELLED = "cancelled"
    """Somebody stopped it, or a newer run took its lock."""
    EXPIRED = "expired"
    """Its queue time or its total time was over."""
    REFUSED = "refused"
    """A policy said no before it ran: permission, state, arguments, lock, limit, duplicate."""
    DENIED = "denied"
    """A person said no."""
    DEAD = "dead"
    """It killed its worker three times while it was alone."""


TERMINAL: Final = frozenset(Status) - {
    Status.BLOCKED,
    Status.READY,
    Status.WAITING,
    Status.RUNNING,
    Status.CANCELLING,
}
"""The statuses that never change again."""


class TurnStatus(StrEnum):
    """Where a turn stands; the last five are terminal and never change."""

    QUEUED = "queued"
    """It waits behind another turn of its conversation."""
    LIVE = "live"
    """Its calls run, or the model is asked."""
    DONE = "done"
    """Its last round is complete."""
    FAILED = "failed"
    """Nobody can lead it on: the model did not answer, or nothing that can be used."""
    MAX_ROUNDS = "max_rounds"
    """The model wanted more rounds than it may have."""
    CANCELLED = "cancelled"
    """Somebody stopped it, or what came later took its place."""
    INJECTED = "injected"
    """Its message went into another turn."""


LIVE_TURN: Final = frozenset({TurnStatus.QUEUED, TurnStatus.LIVE})
"""The statuses of a turn that has not ended."""
TERMINAL_TURN: Final = frozenset(TurnStatus) - LIVE_TURN
"""The statuses of a turn that never change again."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CallError(_Frozen):
    """Why a call, or a whole reply, could not be read."""

    code: str
    """A stable code of `actions.errors`, for example "malformed_call"."""
    message: str
    """One line for the model: what is wrong and what is wanted. Never the whole input."""


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_RAW else text[: MAX_RAW - 1] + "…"


class Call(_Frozen):
    """What a model asked for; either `arguments` or `error` is there, never both."""

    id: str | None = None
    """The provider's call id, echoed with the result; None where a format has none. Providers repeat ids."""
    name: str
    """The action's name as the model wrote it, not normalised. Empty when even that could not be read."""
    arguments: dict[str, Any] | None = None
    """The arguments as a JSON object, not yet validated. None when the call is malformed."""
    raw: Annotated[str, AfterValidator(_shorten)] = ""
    """The argument text as the model wrote it, for people; longer texts are cut at `MAX_RAW` characters."""
    error: CallError | None = None
    """Why the call cannot run. None for a call that could be read."""
    depends_on: tuple[str, ...] = ()
    """What must have succeeded before: ids, step names or action names of other calls of this reply. It only orders."""
    uses: dict[str, str] = {}
    """Parameters that take results of earlier calls: parameter to `id-or-name.path.to.value`; a path may be empty."""
    step: str = ""
    """Its name in a plan, for the calls that depend on it; empty: it has none."""
    repaired: tuple[str, ...] = ()
    """What was mended to read it, in words, for example "trailing comma"; empty for a call that was written well."""

    @property
    def malformed(self) -> bool:
        """Whether the call could not be read and only its error stands."""
        return self.error is not None


class Reply(_Frozen):
    """What intake read out of one answer of a model."""

    format: str
    """Its form: a provider's ("openai.chat", "openai.chat.stream"), a dialect's ("hermes"), or "text"."""
    text: str = ""
    """The text that people see, without the calls' own markup."""
    calls: tuple[Call, ...] = ()
    """Every call in the order of the reply, the malformed ones in their places."""
    provider_calls: tuple[str, ...] = ()
    """Names of the tools that the provider ran itself; they are no runs of ours."""
    errors: tuple[CallError, ...] = ()
    """All that was wrong: with the reply as a whole, and once for each malformed call."""
    continues: bool = False
    """Whether the model must see the results and answer again (tool calls); prose is itself the answer."""

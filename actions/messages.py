"""Ids, what intake reads out of a reply, and what rides in a run's record to the worker.

In: a provider's reply as intake understood it. Out: models that every layer shares and that the store keeps.
What is stored carries its version `v`; a record of an unknown version is refused, never guessed at.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any, Final, NewType, cast

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError, from_json, to_json

from actions.errors import UnreadableRecord

ConversationId = NewType("ConversationId", str)
"""`conv_` + cell letter + 12 base-62 characters."""
TurnId = NewType("TurnId", str)
"""`turn_` + cell letter + 12 base-62 characters."""
RunId = NewType("RunId", str)
"""`run_` + cell letter + 12 base-62 characters; of a turn also `.round.position`."""

MAX_RAW: Final = 2_000
"""Characters kept of a call's argument text: enough to see what was meant, too few to fill the store."""

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_WIDTH: Final = 12
_VERSION: Final = 1


def _base62(number: int) -> str:
    digits: list[str] = []
    for _ in range(_WIDTH):
        number, rest = divmod(number, 62)
        digits.append(_DIGITS[rest])
    return "".join(digits)


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


def turn_id_from_key(conversation_id: str, key: str, cell: str = "a") -> TurnId:
    """Return the one turn id that belongs to an idempotency key of a conversation."""
    number = int.from_bytes(_digest(conversation_id, key, size=16), "big")
    return TurnId(f"turn_{cell}{_base62(number)}")


def run_id_of(turn_id: str, round: int, position: int) -> RunId:  # noqa: A002 - the design's word
    """Return the id of the run at a position (from 0) of a round (from 0) of a turn."""
    return RunId(f"run_{turn_id[5:]}.{round}.{position}")


def idempotency_key(conversation_id: str, turn_id: str, round: int, position: int) -> str:  # noqa: A002
    """Return the key a handler passes on, 32 hex characters, the same for each attempt of the run.

    It is never made of the provider's call id: providers repeat those.
    """
    return _digest(conversation_id, turn_id, round, position, size=16).hex()


class Status(StrEnum):
    """Where a run stands in its life; the last seven are terminal and never change."""

    BLOCKED = "blocked"
    READY = "ready"
    WAITING = "waiting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"
    DENIED = "denied"
    DEAD = "dead"


TERMINAL: Final = frozenset(Status) - {
    Status.BLOCKED,
    Status.READY,
    Status.WAITING,
    Status.RUNNING,
    Status.CANCELLING,
}
"""The statuses that never change again."""


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

    @property
    def malformed(self) -> bool:
        """Whether the call could not be read and only its error stands."""
        return self.error is not None


class Reply(_Frozen):
    """What intake read out of one answer of a model."""

    format: str
    """Its form: "openai.chat", "anthropic.messages", "eliza.json", "coach.tags", "coach.xml" or "text"."""
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


@dataclass(slots=True)
class Payload:
    """What rides in a run's record to the worker: what an attempt needs beside the record's own fields.

    A plain dataclass, for it is read and written on the hot path. Nothing changes it after it was made.
    """

    action: str
    """The registered name of the action, not a simile."""
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    """The arguments as the model gave them; validated when planned, and again before each attempt."""
    call_id: str | None = None
    """The provider's call id, to link the result; None where the format has none."""
    called: str = ""
    """The name as the model wrote it, for messages to the model and for people."""
    principal: str | None = None
    """On whose behalf the call runs; None when nobody is named."""
    permissions: tuple[str, ...] = ()
    """What the principal was allowed when the reply was submitted."""
    key: str = ""
    """The idempotency key handlers pass on: the same for each attempt, see `idempotency_key`."""
    turn_text: str = ""
    """The visible text of the reply the call stood in."""

    def encode(self) -> bytes:
        """Return compact JSON with one-letter names; fields at their default are left out."""
        record: dict[str, Any] = {"v": _VERSION, "a": self.action}
        if self.arguments:
            record["p"] = self.arguments
        if self.call_id is not None:
            record["i"] = self.call_id
        if self.called:
            record["n"] = self.called
        if self.principal is not None:
            record["u"] = self.principal
        if self.permissions:
            record["m"] = self.permissions
        if self.key:
            record["k"] = self.key
        if self.turn_text:
            record["t"] = self.turn_text
        try:
            return to_json(record)
        except PydanticSerializationError:  # half a surrogate pair in some text: no UTF-8 has it
            return to_json(mended(record))

    @classmethod
    def decode(cls, data: bytes | str) -> Payload:
        """Read what `encode` wrote; raise UnreadableRecord for anything else."""
        try:
            record = from_json(data, cache_strings="keys")
            if record["v"] != _VERSION:
                raise UnreadableRecord(
                    f"a run's payload has version {record['v']}, this program reads {_VERSION}",
                    fix="start workers of the version that submitted the run",
                )
            get = record.get
            return cls(
                record["a"],
                get("p") or {},
                get("i"),
                get("n", ""),
                get("u"),
                tuple(get("m", ())),
                get("k", ""),
                get("t", ""),
            )
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise UnreadableRecord(
                f"a run's payload cannot be read: {type(error).__name__}",
                fix="the run was not written by this program, or its record is damaged",
            ) from error


def mended(value: Any) -> Any:
    """Copy a JSON value with half surrogate pairs replaced by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mended(item) for item in cast("list[Any]", value)]
    return value

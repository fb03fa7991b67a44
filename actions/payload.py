"""What rides in a run's record to the worker, and how it is stored.

In: a call that was planned. Out: compact JSON with one-letter names and a version; a record of an unknown version
is refused, never guessed at. An older program ignores new fields: their default means "as ever".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, cast

from pydantic_core import PydanticSerializationError, from_json, to_json

from actions.errors import DeclarationError, UnreadableRecord
from actions.policy import Retry, milliseconds

_VERSION: Final = 1


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
    retry: Retry | None = None
    """Numbers of a retry policy for this run only; None takes the action's. Its exceptions do not travel."""
    timeout_ms: int | None = None
    """Milliseconds that one attempt of this run may take, if that is less than its action's limit; None: no word."""
    uses: tuple[tuple[str, str, str], ...] = ()
    """Parameters that take results of earlier runs: (parameter, run id, path); an empty path is the whole result."""
    merge: tuple[str, ...] = ()
    """Runs whose results, in this order, fill those parameters of the action that nothing else gives."""
    base: dict[str, Any] = field(default_factory=dict[str, Any])
    """With `merge`: what a chain was begun with, below all results; a key that the action does not have is left out."""
    depth: int = 0
    """How many follow-ups lie between it and the run that a person or a model asked for; 0: none, it was asked for."""
    lineage: tuple[str, ...] = ()
    """Digests of action and arguments of the runs that it follows up, the first one first."""
    root: str = ""
    """The run that a person or a model asked for, if this one follows it up; empty: it was asked for itself."""
    mode: str = ""
    """Of a leading run: how the calls of its turn are to be run; empty: as the conversation says."""
    trace: str = ""
    """The W3C `traceparent` of the request that it came from, for the handler to pass on; empty: there was none."""
    bad: int = 0
    """Of a leading run: how many replies in a row, up to now, were of no use."""

    def retry_policy(self, own: Retry | None) -> Retry | None:
        """Return how this run is tried again: `own` is its action's policy, whose exceptions always count."""
        return own if self.retry is None else self.retry.like(own)

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
        record |= self._overrides()
        try:
            return to_json(record)
        except PydanticSerializationError:  # half a surrogate pair in some text: no UTF-8 has it
            return to_json(mended(record))

    def _overrides(self) -> dict[str, Any]:
        """What is said of this run alone; most runs have none of it."""
        record: dict[str, Any] = {}
        if self.retry is not None:
            record["r"] = _stored(self.retry)
        if self.timeout_ms is not None:
            record["w"] = self.timeout_ms
        if self.uses or self.merge or self.depth or self.mode or self.trace or self.bad:
            record["e"] = self._ties()
        return record

    def _ties(self) -> dict[str, Any]:
        """What ties it to other runs; very few have any."""
        told = {
            "s": self.uses, "g": self.merge, "b": self.base, "d": self.depth, "l": self.lineage, "o": self.root,
            "x": self.mode, "c": self.trace, "f": self.bad,
        }  # fmt: skip
        return {letter: value for letter, value in told.items() if value}

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
                _read(get("r")),
                get("w"),
                **_tied(get("e")),
            )
        except (ValueError, LookupError, TypeError, AttributeError, DeclarationError) as error:
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


def _stored(retry: Retry) -> list[int | float]:
    return [retry.retries, milliseconds(retry.initial), retry.factor, milliseconds(retry.cap)]


def _tied(stored: Any) -> dict[str, Any]:
    if stored is None:
        return {}
    return {
        "uses": tuple((parameter, run, path) for parameter, run, path in stored.get("s", ())),
        "merge": tuple(stored.get("g", ())),
        "base": stored.get("b", {}),
        "depth": stored.get("d", 0),
        "lineage": tuple(stored.get("l", ())),
        "root": stored.get("o", ""),
        "mode": stored.get("x", ""),
        "trace": stored.get("c", ""),
        "bad": stored.get("f", 0),
    }


def _read(stored: Any) -> Retry | None:
    if stored is None:
        return None
    retries, initial, factor, cap = stored
    longest = timedelta(milliseconds=cap)
    return Retry(retries, initial=timedelta(milliseconds=initial), factor=factor, cap=longest)

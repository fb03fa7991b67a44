"""When everything that was started is ready: processes in; back once all of them serve.

What does not come up in time is an error that says which one it is, and why, in its own words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import httpx

from actions.errors import OperatorError

if TYPE_CHECKING:
    from umbel.starting import Sign
    from umbel.supervisor import Process

WITHIN: Final = timedelta(seconds=60)
"""How long all of it may take; on a machine with two cores it takes five seconds."""
_PAUSE_S: Final = 0.05
_TIMEOUT_S: Final = 5.0
_DURABILITY: Final = frozenset({"append_only", "noeviction"})
"""What the API says of a server that serves, but may lose what it accepted."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What has to be so before one of them is ready."""

    process: Process
    """The program."""
    why_not: Callable[[], str]
    """Why it is not ready, "" once it is."""


def worker_gate(sign: Sign) -> Gate:
    """A worker is ready when Celery says so."""
    return Gate(
        sign.process, lambda: "" if sign.node() is not None else "Celery has not said that it is ready"
    )


def web_gate(process: Process, url: str) -> Gate:
    """A server is ready when it answers this with success."""
    return Gate(process, lambda: asked(url).why)


def api_gate(process: Process, url: str, *, forgive: Callable[[str], None] | None) -> Gate:
    """The API is ready when it says so.

    `forgive` is told, once, what is wrong when that is no more than that this Redis does not keep what it accepted
    through a restart or when it is full: its owner may have chosen so for a trial. None: nothing is forgiven.
    """
    told: list[str] = []

    def why_not() -> str:
        said = asked(f"{url}/readyz")
        if forgive is None or not said.lacks or not said.lacks <= _DURABILITY:
            return said.why
        if not told:
            told.append(said.why)
            forgive(said.why)
        return ""

    return Gate(process, why_not)


@dataclass(frozen=True, slots=True)
class Said:
    """What a server answered when it was asked whether it is ready."""

    why: str
    """Why it is not, in its own words if it has some; "" if it is."""
    lacks: frozenset[str] = frozenset()
    """What it lacks, as it names that."""


def asked(url: str) -> Said:
    """Ask a server on this machine."""
    try:
        # Never through a proxy that the environment names.
        with httpx.Client(trust_env=False, timeout=_TIMEOUT_S) as client:
            answer = client.get(url)
    except httpx.HTTPError as error:
        return Said(f"it does not answer ({type(error).__name__})")
    return Said("") if answer.is_success else refusal(answer)


def wait_for(gates: Sequence[Gate], within: timedelta = WITHIN) -> None:
    """Wait until all of them are ready.

    Raises:
        OperatorError: one has ended, or is not ready in time; the message says why, with the last lines of its log.
    """
    limit = time.monotonic() + within.total_seconds()
    left = list(gates)
    while True:
        waiting = []
        for gate in left:
            if not gate.process.is_alive:
                raise gate.process.ended_early()
            if why := gate.why_not():
                waiting.append((gate, why))
        if not waiting:
            return
        if time.monotonic() > limit:
            gate, why = waiting[0]
            raise OperatorError(
                f"{gate.process.name} was not ready within {within.total_seconds():g} s: {why}",
                where=str(gate.process.log),
                fix=gate.process.tail(),
            )
        left = [gate for gate, _ in waiting]
        time.sleep(_PAUSE_S)


def refusal(answer: httpx.Response) -> Said:
    """What it says that it lacks (`/readyz` lists its checks), or the bare status."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    listed = told.get("checks") if isinstance(told, dict) else None
    checks = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    failed = {str(each.get("name")): str(each.get("detail", "")) for each in checks if not each.get("ok")}
    why = str(told.get("detail", "")) if isinstance(told, dict) else ""
    why = why or "; ".join(f"{name}: {detail}" for name, detail in failed.items())
    return Said(why or f"it answers {answer.status_code}", frozenset(failed))

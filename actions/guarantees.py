"""What an action declares of its limits, locks, clocks and retries, checked and in its final form.

In: the declared values, and the fields of the action's params. Out: the slots that planning and the workers read.
What one action can declare wrongly is refused here, what two can declare against each other in `actions.ranks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, Literal, cast

from pydantic.fields import FieldInfo

from actions.chains import locks_of
from actions.declaration import Declared, checked_retry
from actions.errors import DeclarationError
from actions.hooks import Hooked
from actions.limits import Dedupe, Lock, RateLimit
from actions.policy import Isolation, Retry, Timeouts

ON_UNKNOWN: Final = ("retry", "fail", "check")
OVERSIZE: Final = ("truncate", "fail")


class Guaranteed(Hooked):
    """An action's policy."""

    __slots__ = (
        "dedupe", "isolation", "locks", "on_unknown", "oversize", "rate_limits", "retry", "timeouts",
    )  # fmt: skip

    retry: Retry | None
    """When a failed attempt is tried again; None for never."""
    timeouts: Timeouts
    """Its clocks: attempt, queue, heartbeat, total."""
    rate_limits: tuple[RateLimit, ...]
    """How often it starts; each has a name."""
    locks: tuple[Lock, ...]
    """What one run of it holds while an attempt runs."""
    on_unknown: Literal["retry", "fail", "check"]
    """What follows an attempt of which nobody knows whether it took effect: a timeout, a death, a lost lease."""
    dedupe: Dedupe | None
    """When two runs of it are one; None for never."""
    isolation: Isolation | None
    """How it runs in a process of its own; None: on the loop or in a thread."""
    oversize: Literal["truncate", "fail"]
    """What becomes of a result over the cap: the model sees its beginning and its size, or the run fails."""

    @property
    def timeout(self) -> timedelta | None:
        """How long one attempt may take; None for no limit."""
        return self.timeouts.attempt

    def _guarantee(self, declared: Declared, parameters: Mapping[str, FieldInfo]) -> None:
        """Take what was declared; `parameters` are the fields of the params that keys and costs may name."""
        name, fields = self.name, parameters
        self.retry = checked_retry(name, declared.get("retry"))
        self.timeouts = checked_timeouts(name, declared.get("timeout", "30s"))
        self.rate_limits = _limits(name, declared.get("rate_limit"))
        self.locks = locks_of(name, declared.get("lock"))
        for limit in self.rate_limits:
            limit.check(name, fields)
        for lock in self.locks:
            lock.template.check(name, fields)
        self.on_unknown = _one_of(name, "on_unknown", declared.get("on_unknown", "retry"), ON_UNKNOWN)
        self.oversize = _one_of(name, "oversize", declared.get("oversize", "truncate"), OVERSIZE)
        self.dedupe = _instance(name, "dedupe", declared.get("dedupe"), Dedupe, 'Dedupe("10m")')
        isolated = declared.get("isolated", False)
        chosen = (Isolation() if isolated else None) if isinstance(isolated, bool) else isolated
        self.isolation = _instance(name, "isolated", chosen, Isolation, 'True, False or Isolation("512MB")')


def checked_timeouts(action: str, given: Any) -> Timeouts:
    """Return the clocks; a duration is that of one attempt, None and 0 mean no limit."""
    if isinstance(given, Timeouts):
        return given
    try:
        return Timeouts(given)
    except DeclarationError as error:
        raise DeclarationError(f"{action}: timeout: {error}") from None


def _limits(action: str, given: Any) -> tuple[RateLimit, ...]:
    found = _several(given)
    for each in found:
        if not isinstance(each, RateLimit):
            raise DeclarationError(f"{action}: rate_limit has to be RateLimit(...) or several, not {each!r}")
    numbered = enumerate(cast("tuple[RateLimit, ...]", found), 1)
    limits = tuple(limit.named(action if at == 1 else f"{action}.{at}") for at, limit in numbered)
    if len({limit.name for limit in limits}) < len(limits):
        raise DeclarationError(f"{action}: two of its rate limits have the same name: give each its own")
    return limits


def _several(given: Any) -> tuple[Any, ...]:
    if given is None:
        return ()
    return tuple(cast("Iterable[Any]", given)) if isinstance(given, list | tuple) else (given,)


def _one_of(action: str, field: str, given: Any, known: tuple[str, ...]) -> Any:
    if given not in known:
        raise DeclarationError(f"{action}: {field} has to be one of {', '.join(known)}, not {given!r}")
    return given


def _instance(action: str, field: str, given: Any, kind: type[Any], how: str) -> Any:
    if given is None or isinstance(given, kind):
        return given
    raise DeclarationError(f"{action}: {field} has to be {how}, not {given!r}")

"""What both clients do between a request and its value, written once and without I/O.

In: a `Request`. Out: a talk, which is a generator that yields what shall be done next (send this, wait so long) and is
told what came of it, until it returns the value or raises an `ApiError`. The two shells only carry out the steps.
What is sent again is the very same request, idempotency key included; waits are drawn with full jitter.
"""

from __future__ import annotations

import os
import random
import time
import warnings
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import SecretStr

from actions.errors import ConfigError
from actions.policy import Retry, duration
from orchestrator.clients.addresses import KEY_VARIABLE, URL_VARIABLE, checked_url, is_open_to_others
from orchestrator.clients.errors import (
    ApiError,
    NotFound,
    PlainHttpWarning,
    TooManyRequests,
    Unauthorised,
    Unavailable,
    Unreachable,
    error_of,
)
from orchestrator.clients.masking import Mask
from orchestrator.clients.requests import Length, Request

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
Step = Request[Any] | float
"""What a talk wants done: send this, or wait so many seconds."""
Heard = Any
"""What it is told: the `httpx.Response`, the `httpx.RequestError` where there was none, or None after a wait."""
Talk = Generator[Step, Heard, T]

RETRIES: Final = Retry(4, initial="250ms", factor=2, cap="8s")
"""Four more tries, some two seconds in all when nobody answers at once: a restart of the service is bridged by `wait`
and `events`, which try as long as their own time lasts."""
TIMEOUT: Final = 10.0
"""Seconds for a request and all of its answer: the service itself answers within five."""
LATE: Final = 2.0
"""Seconds by which an answer may come later than a wait was to end."""
LONGEST_PAUSE: Final = 30.0
"""Seconds of a `Retry-After` that are waited for here; what asks for more is the caller's to decide."""
SLICE: Final = 20.0
"""Seconds for which one request waits for an end; less than what proxies allow (60 s, most often)."""
_CONNECTIONS: Final = 1_000
"""Connections at the same time; each stream of events has one."""
_KEPT: Final = 20
"""Idle ones that are kept."""
_KEPT_S: Final = 4.0
"""Seconds for which they are: the service closes its end after five, and a request must not meet that."""
_NEVER_HEARD: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})
"""httpx's errors after which nothing was sent."""


class Core:
    """Where the service is, who asks, and how patiently."""

    def __init__(
        self,
        base_url: str | None = None,
        key: str | SecretStr | None = None,
        *,
        timeout: Length = TIMEOUT,
        retries: Retry | int = RETRIES,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """Read what is not given from the environment.

        Raises:
            ConfigError: no service is named, or the URL or the key cannot be used.
        """
        self.base_url = checked_url(base_url or os.environ.get(URL_VARIABLE, ""))
        self._key = _checked_key(key if key is not None else os.environ.get(KEY_VARIABLE, ""))
        if self._key is not None and is_open_to_others(self.base_url):
            text = f"the key goes to {self.base_url} over plain http, where others can read it on the way; use https"
            warnings.warn(PlainHttpWarning(text), stacklevel=3)  # where the client was made
        self.mask = Mask(self._key)
        self.timeout_s = duration(timeout).total_seconds()
        if not isinstance(retries, Retry):
            retries = Retry(retries, initial=RETRIES.initial, factor=RETRIES.factor, cap=RETRIES.cap)
        self.retries = retries
        self.clock = clock
        self._draw = draw

    def options(self) -> dict[str, Any]:
        """What an httpx client of ours is made with."""
        import httpx

        return {
            "base_url": self.base_url,
            "auth": self._authorise,
            "headers": {
                "accept": "application/json",
                "accept-encoding": "identity",
                "user-agent": "umbel-client",
            },
            "follow_redirects": False,  # the key is for the service that was named
            "limits": httpx.Limits(
                max_connections=_CONNECTIONS, max_keepalive_connections=_KEPT, keepalive_expiry=_KEPT_S
            ),
        }

    def sent(self, request: Request[Any]) -> dict[str, Any]:
        """A request as httpx takes it."""
        media = {} if request.content is None else {"content-type": request.media}
        whole = self.whole_s(request)
        wait = min(self.timeout_s, whole)
        return {
            "method": request.method,
            "url": request.path,
            "params": list(request.params) or None,
            "content": request.content,
            "headers": {**request.headers, **media},
            "timeout": (wait, whole, wait, wait),
        }

    def whole_s(self, request: Request[Any]) -> float:
        """Seconds that a request and its answer may take in all."""
        whole = self.timeout_s + request.wait_s
        return whole if request.within_s is None else min(whole, request.within_s)

    def _authorise(self, request: httpx.Request) -> httpx.Request:
        """Show the key, on each request by itself: no object of ours that has a repr holds it in plain text."""
        if self._key is not None:
            request.headers["authorization"] = f"Bearer {self._key.get_secret_value()}"
        return request

    def sending(self, request: Request[T], until: float | None = None) -> Talk[T]:
        """Send a request until it is answered; `until` (by the clock) bounds the tries in place of their number.

        Raises:
            ApiError: the answer is no success, or there is none.
        """
        attempt = 1
        while True:
            if until is not None:
                request = replace(request, within_s=max(0.0, until - self.clock()) + LATE)
            heard = yield request
            error = self.refusal(heard)
            if error is None or (attempt > 1 and request.gone_is_done and isinstance(error, NotFound)):
                return request.read(heard)
            pause = self.pause(attempt, error)
            if until is None:
                is_over = attempt > self.retries.retries or (error.retry_after or 0.0) > LONGEST_PAUSE
            else:
                is_over = self.clock() + pause >= until
            if is_over or not _may_follow(request, heard, error):
                raise error
            yield pause
            attempt += 1

    def pause(self, attempt: int, error: ApiError | None = None) -> float:
        """Seconds before the try that follows this one (from 1); what a `Retry-After` asks for, and a little more.

        One that asks for more than `LONGEST_PAUSE` is passed over: it must not end a wait that has time left.
        """
        drawn = self.retries.delay(attempt, self._draw).total_seconds()
        asked = (error.retry_after or 0.0) if error else 0.0
        return drawn + (asked if asked <= LONGEST_PAUSE else 0.0)

    def refusal(self, heard: Heard) -> ApiError | None:
        """The error that stands for what was heard; None: it is a success."""
        if isinstance(heard, Exception):
            return Unreachable(f"no answer from {self.base_url}: {_wording(heard, self.mask)}")
        answer: httpx.Response = heard
        if answer.is_success:
            return None
        error = error_of(answer.status_code, answer.headers, answer.content, self.mask.value)
        if isinstance(error, Unauthorised) and self._key is None:
            error.detail = (
                f"the service wants a key, and this client has none: set {KEY_VARIABLE} or give key="
            )
        return error

    def waiting(
        self, ask: Callable[[float], Request[T]], is_over: Callable[[T], bool], what: str, timeout_s: float
    ) -> Talk[T]:
        """Ask again and again, each time for an answer within a slice of the time, until what it tells is over.

        A service that is away for a while does not end the wait.

        Raises:
            TimeoutError: it is not over, in time.
            ApiError: it cannot be asked for.
        """
        limit = self.clock() + timeout_s
        last: ApiError | None = None
        early = 0
        while True:
            left = max(0.0, limit - self.clock())
            began, asked = self.clock(), min(left, SLICE)
            try:
                found = yield from self.sending(ask(asked), until=limit)
            except (Unavailable, TooManyRequests) as error:
                last = error
                break
            if is_over(found):
                return found
            if (left := limit - self.clock()) <= 0:
                break
            # a service that keeps nobody waiting so long (its own bound, or its hub is full) is not asked in a hurry
            early = early + 1 if self.clock() - began < asked / 2 else 0
            if early:
                yield min(left, self.pause(early))
        raise TimeoutError(f"{what} has not ended within {timeout_s:g} s") from last


def _may_follow(request: Request[Any], heard: Heard, error: ApiError) -> bool:
    """Whether the same request may be sent again."""
    if isinstance(heard, Exception):
        return request.may_repeat or type(heard).__name__ in _NEVER_HEARD
    return isinstance(error, TooManyRequests) or (isinstance(error, Unavailable) and request.may_repeat)


def _wording(error: Exception, mask: Mask) -> str:
    """What went wrong on the way; httpx tells of a broken head with its bytes, which may repeat the key."""
    text = " ".join(mask.text(str(error)).split())[:200]
    return f"{type(error).__name__}{f' ({text})' if text else ''}"


def _checked_key(given: str | SecretStr) -> SecretStr | None:
    """The key; one that cannot stand in a header is refused here, since an error below might show it."""
    text = given.get_secret_value() if isinstance(given, SecretStr) else given
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigError("the key is none: it holds a space or a letter that no key has", where=KEY_VARIABLE)
    return SecretStr(text) if text else None

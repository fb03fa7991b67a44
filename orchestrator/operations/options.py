"""What a caller of `act` may ask for: options in, checked and in the units of the store out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from actions.errors import DeclarationError
from actions.policy import Retry
from orchestrator.submission import Length, named

Strategy = Literal["concurrent", "sequential", "batch"]
"""Which calls may run at the same time."""


class _Unset:
    """No value was given; None is one."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset()
"""Stands for an option that was left out, where None means something."""
_MOST: Final = 100_000
"""More runs at the same time no bound needs to allow."""
_LONGEST_WAIT: Final = timedelta(hours=1)
"""No wait between attempts grows longer, unless the first one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOptions:
    """The options of `act`; each holds for this batch of calls alone.

    Raises:
        DeclarationError: an option has no such value, or two do not fit together.
    """

    strategy: Strategy = "concurrent"
    """concurrent: all at once. sequential: one after the other. batch: `batch_size` at once, then the next ones. A
    call that fails holds up nothing but itself, unless `suppress_errors` is off."""
    batch_size: int | None = None
    """How many run together; only for the strategy batch, where it is 1 if left out."""
    max_concurrent: int | None = None
    """How many run at the same time, over all workers; None: no bound of this batch's own."""
    throttle: Length | None = None
    """The least time between the starts of two attempts."""
    retries: int | None = None
    """How many attempts may follow a failed one, instead of what the action declares; None: what it declares."""
    initial_delay: Length = 0
    """How long the whole batch waits before its first start."""
    retry_delay: Length = 0
    """The bound of the first wait before a further attempt; the wait is drawn between nothing and the bound."""
    backoff_factor: float = 1
    """How much longer each bound is than the one before."""
    attempt_timeout: Length | None = None
    """How long each attempt may take, if that is less than its action allows."""
    timeout: Length | None = None
    """How long everything may take, waits and retries included; what has not ended by then is `expired`."""
    default: Any = UNSET
    """Value of each call that failed; its error still says why."""
    drop_failed: bool = False
    """Leave out what failed."""
    drop_none: bool = False
    """Leave out what succeeded with nothing (null)."""
    unique_input: bool = False
    """Of calls of one action with equal arguments only the first is made."""
    unique_output: bool = False
    """Of equal values only the first is kept; failures are kept."""
    sanitize_input: bool = False
    """Take control characters and spaces around them off the texts in arguments before these are validated."""
    flatten: bool = False
    """A value that is a list becomes one result for each of its elements, however deep they lie."""
    timing: bool = False
    """Say of each call how long it waited and how long it ran."""
    suppress_errors: bool = True
    """On: every failure is a result. Off: the first failure stops the others and `CallFailed` is raised."""
    conversation: str | None = None
    """Where the calls and their results become messages; None: nowhere."""
    principal: str | None = None
    """On whose behalf they run; in a conversation it is the conversation's."""
    permissions: Sequence[str] = ()
    """What that principal may do; in a conversation they are the conversation's."""
    tenant: str = ""
    """Whose share of the workers they use; in a conversation it is the conversation's."""
    key: str | None = None
    """An idempotency key: `act` again with the same key and calls waits for the runs of the first time."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.strategy not in {"concurrent", "sequential", "batch"}:
            raise DeclarationError(
                f"there is no strategy {self.strategy!r}: use concurrent, sequential or batch"
            )
        if self.batch_size is not None and self.strategy != "batch":
            raise DeclarationError(
                f"batch_size is for the strategy batch, not for {self.strategy}: leave it out"
            )
        for name in ("batch_size", "max_concurrent"):
            self._check_count(name)
        if isinstance(self.permissions, str):
            raise DeclarationError(
                f"permissions: a list of words is wanted, not the text {self.permissions!r:.80}"
            )
        loose: Any = self.key
        if loose is not None and (not isinstance(loose, str) or not loose):
            raise DeclarationError(f"key: a text that is not empty is wanted, or None, not {self.key!r:.80}")
        if self.retries is None and (named("retry_delay", self.retry_delay) or self.backoff_factor != 1):
            raise DeclarationError("retry_delay and backoff_factor belong to retries: say how many")
        if self.conversation is not None and (self.principal or self.permissions or self.tenant):
            raise DeclarationError(
                "a conversation has its own principal, permissions and tenant: leave them out"
            )
        for name in ("throttle", "attempt_timeout", "timeout"):
            self._check_length(name)
        named("initial_delay", self.initial_delay)
        _ = self.retry

    def _check_count(self, name: str) -> None:
        given = getattr(self, name)
        if given is not None and (
            isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= _MOST
        ):
            raise DeclarationError(f"{name} has to be a whole number from 1 to {_MOST:,}, not {given!r:.80}")

    def _check_length(self, name: str) -> None:
        given = getattr(self, name)
        if given is not None and named(name, given) < timedelta(milliseconds=1):
            raise DeclarationError(f"{name} has to be 1ms or more, not {given!r}; None means there is none")

    @property
    def retry(self) -> Retry | None:
        """The retries asked for; None: those of each action."""
        if self.retries is None:
            return None
        first = named("retry_delay", self.retry_delay)
        return Retry(self.retries, initial=first, factor=self.backoff_factor, cap=max(first, _LONGEST_WAIT))

    @property
    def together(self) -> int | None:
        """How many calls run together before the next ones do; None: all of them."""
        match self.strategy:
            case "concurrent":
                return None
            case "sequential":
                return 1
            case "batch":
                return self.batch_size or 1

    @property
    def mark(self) -> str:
        """What of the options is part of the runs, as text: under one key it has to be the same."""
        told = (
            self.strategy, self.together, self.max_concurrent, self.throttle, self.retry, self.initial_delay,
            self.attempt_timeout, self.timeout, self.suppress_errors,
        )  # fmt: skip
        return repr(told)

    @property
    def has_default(self) -> bool:
        """Whether a value for failed calls was given."""
        return not isinstance(self.default, _Unset)

    @property
    def stops_at_failure(self) -> bool:
        """Whether the first failure stops the others."""
        return not self.suppress_errors

"""One call of a trusted caller, without a conversation: what was asked for in, the run to be recorded out.

It is resolved, allowed and validated here, so that what cannot run is told to the caller at once. A run under an
idempotency key has an id made of tenant and key, and a digest of everything that was asked for: the same request comes
to the same run, another one under the same key is a conflict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from actions.errors import DeclarationError, InvalidId, MissingDependency, UmbelError, UnknownAction
from actions.messages import Payload, RunId, mended, new_run_id, run_id_from_key
from actions.policy import Retry, duration, milliseconds
from actions.similar_keys import under_own_keys
from orchestrator import auditing, ids
from orchestrator.digests import digest
from orchestrator.drafting import check_recordable, draft
from orchestrator.judging import bound, check_permissions, check_single

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.registry import Registry
    from orchestrator.store.incoming import LimitGuard, LockGuard, NewRun

Length = timedelta | float | str
"""A duration as `actions.policy.duration` reads it: a timedelta, seconds, or a text such as "30s"."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One call, and what shall hold for it alone."""

    action: str
    """Name or simile of an action."""
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Its arguments."""
    run: str | None = None
    """An id of the caller's own, `run_…`; submitting it again changes nothing. Not together with `key`."""
    key: str | None = None
    """An idempotency key of the tenant's: the same key and request are one run, for as long as its record is kept."""
    principal: str | None = None
    """On whose behalf it runs."""
    permissions: Sequence[str] = ()
    """What that principal may do."""
    tenant: str = ""
    """Whose share of the workers it uses."""
    deadline: Length | datetime | None = None
    """How long from now, or until when, all of it may take, waiting and retries included; then it is `expired`."""
    delay: Length = 0
    """How long from now it is not started."""
    retry: Retry | int | None = None
    """Instead of the action's retries: how many, or how many and after which waits."""
    timeout: Length | None = None
    """Of each attempt, if that is shorter than the action's own."""
    trace: str = ""
    """A W3C `traceparent` that its handler passes on; it is no part of the request."""
    batch: str = ""
    """Digest of the whole batch that it belongs to, so that its key stands for all of that; empty: for itself."""
    told: bool = False
    """Whether the conductor that submits it will wait for it with `next_end`."""


def prepare(
    given: Submission,
    registry: Registry,
    cell: str,
    *,
    reply_to: str = "",
    guards: Sequence[LockGuard | LimitGuard] = (),
    audit: bool = False,
) -> NewRun:
    """The run that a submission becomes; `guards` are the house's own, taken before the action's.

    It may be of an action that only people may run: a model does not submit.

    Raises:
        InvalidId: the run's id, the tenant or a permission has not the form that keys take.
        DeclarationError: a duration or a number of retries is none.
        ModelError: unknown action, one that runs only in a chain or after others, missing permission, invalid
            arguments, or a cost over its limit.
    """
    ids.check_tenant(given.tenant)
    loose: Any = given.permissions
    if isinstance(loose, str):
        raise DeclarationError(f"permissions: a list of words is wanted, not the text {loose!r:.80}")
    chosen = _id(given, cell)
    action = registry.resolve(given.action)
    check_permissions(action, given.permissions)
    check_single(action)
    _check_independent(action)
    check_recordable(given.arguments)
    arguments, _ = under_own_keys(action, given.arguments)
    params = bound(action, arguments)
    payload = Payload(
        action.name, dict(arguments), None, given.action, given.principal, tuple(given.permissions),
        digest(chosen), retry=_retry(given.retry), timeout_ms=_timeout_ms(given.timeout), trace=given.trace,
    )  # fmt: skip
    return draft(
        action,
        params,
        payload,
        id=chosen,
        registry=registry,
        tenant=given.tenant,
        principal=given.principal,
        caps_guards=tuple(guards),
        reply_to=reply_to if given.told else "",
        key_digest=_digest(given, action) if given.key is not None else "",
        total_ms=_left_ms(given.deadline),
        delay_ms=_ms("delay", given.delay) if given.delay else 0,
        audit=audit,
    )


def _check_independent(action: Action) -> None:
    if action.depends_on:
        raise MissingDependency(
            f"{action.name} needs {', '.join(action.depends_on)} to have succeeded before, in the same conversation: "
            "call them in one"
        )


def _id(given: Submission, cell: str) -> RunId:
    if given.key is None:
        chosen = RunId(given.run or new_run_id(cell))
        ids.check_run(chosen)
        return chosen
    if given.run is not None:
        raise InvalidId(
            f"{given.run[:80]!r} was given beside a key",
            fix="Give the run an id of your own, or a key that its id is made of; not both",
        )
    loose: Any = given.key
    if not isinstance(loose, str) or not loose:
        raise DeclarationError(f"key: a text that is not empty is wanted, or None, not {loose!r:.80}")
    return run_id_from_key(given.tenant, given.key, cell)


def _digest(given: Submission, action: Action) -> str:
    """Of what was asked for, however its keys were ordered and by whichever name the action was called."""
    retry = _retry(given.retry)
    told = [
        action.name,
        given.arguments,
        given.principal,
        sorted(given.permissions),
        given.deadline.isoformat()
        if isinstance(given.deadline, datetime)
        else _ms("deadline", given.deadline or 0),
        _ms("delay", given.delay),
        None if retry is None else [retry.retries, retry.initial, retry.factor, retry.cap],
        _timeout_ms(given.timeout),
        *([given.batch] if given.batch else ()),
    ]
    plain = from_json(to_json(mended(told)))
    return digest(json.dumps(plain, sort_keys=True))


def named(option: str, length: Length) -> timedelta:
    """What the duration given for an option means; an error names the option."""
    try:
        return duration(length)
    except DeclarationError as error:
        raise DeclarationError(f"{option}: {error}") from None


def _ms(option: str, length: Length) -> int:
    return milliseconds(named(option, length))


def _left_ms(deadline: Length | datetime | None) -> int | None:
    """Milliseconds to a deadline; one that is over leaves none."""
    if deadline is None:
        return None
    if not isinstance(deadline, datetime):
        return _ms("deadline", deadline)
    if deadline.tzinfo is None:
        raise DeclarationError(f"a deadline needs a time zone: {deadline.isoformat()} has none")
    return max(0, milliseconds(deadline - datetime.now(UTC)))


def _timeout_ms(timeout: Length | None) -> int | None:
    if timeout is None:
        return None
    if (found := _ms("timeout", timeout)) < 1:
        raise DeclarationError(
            f"a timeout of {timeout!r} is too short: give at least 1ms, or None for the action's"
        )
    return found


def _retry(given: Retry | int | None) -> Retry | None:
    if given is None or isinstance(given, Retry):
        return given
    try:
        return Retry(given)
    except DeclarationError:
        raise DeclarationError(
            f"retry: a Retry or a whole number, 0 or more, is wanted, not {given!r}"
        ) from None


def refused_submission(given: Submission, registry: Registry, error: UmbelError) -> dict[str, Any]:
    """Return the line of a single call that was refused when it was submitted: it has no record."""
    try:
        action = registry.resolve(given.action)
    except UnknownAction:
        action = None
    return auditing.line(
        given.run or "",
        "asked",
        by=given.principal or "",
        action=action.name if action else "",
        called=given.action,
        tenant=given.tenant,
        conversation="",
        arguments=auditing.masked(action, given.arguments),
        decided=error.code,
    )

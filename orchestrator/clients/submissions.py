"""What a client asks for about runs: submit them, read them, list them. Each function makes one request.

In: what the caller gives. Out: a `Request`, or a `Paging` for lists. Both clients bind these as their methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import BaseModel

from actions.errors import DeclarationError
from actions.policy import Retry
from orchestrator.clients.paging import Paging
from orchestrator.clients.paths import OfConversation, OfRun, checked, id_of, path
from orchestrator.clients.requests import (
    Length,
    Request,
    as_json,
    made,
    parsed,
    query,
    reads,
    span,
    with_wait,
)
from orchestrator.wire import Runs, RunStanding, SubmitRun, Submitted, SubmittedAll

if TYPE_CHECKING:
    import httpx

_OK: Final = 200
_PAGE: Final = 200
"""Runs of one page."""


def submit(
    action: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    delay: Length | None = None,
    deadline: Length | datetime | None = None,
    retry: Retry | int | None = None,
    timeout: Length | None = None,
    key: str | None = None,
    traceparent: str | None = None,
) -> Request[Submitted]:
    """Submit one call, without a conversation; its run is recorded when this returns.

    Args:
        action: name or simile of an action.
        arguments: its arguments; whatever has a JSON form.
        delay: how long from now it is not started.
        deadline: how long from now, or until when, all of it may take, waits and retries included; then it is expired.
        retry: in place of the action's retries: how many, or a whole `Retry`.
        timeout: of each attempt, if that is shorter than the action's own.
        key: an idempotency key of your own: the same key and request are one run, whoever sends them, for as long as
            its record is kept. Without one each call of this method is a run of its own, however often it has to be
            sent.
        traceparent: the caller's trace (W3C Trace Context); the handler finds it as `ctx.traceparent`.

    Raises:
        Invalid: the action is unknown, or the arguments are not right; `errors` point at them.
        Forbidden: the key lacks a permission of the action.
        ApiError: any other refusal, or no answer.
    """
    call = run_body(action, arguments, delay, deadline, retry, timeout)
    headers = made(key, traceparent)
    return Request("POST", path("runs"), reads(Submitted), content=as_json(call), headers=headers)


def submit_all(
    batch: Sequence[SubmitRun | Mapping[str, Any]], *, key: str | None = None, traceparent: str | None = None
) -> Request[tuple[Submitted, ...]]:
    """Submit up to 1,000 calls at once: all of them or, if one is not right, none.

    Args:
        batch: objects with `action`, and what else `submit` takes: `arguments`, `delay`, `deadline`, `retry`,
            `timeout`.
        key: as for `submit`, for the whole batch.
        traceparent: as for `submit`, for each of them.

    Returns:
        Their runs, in the same order.

    Raises:
        Invalid: `errors` point at the calls that are not right ("/runs/3/arguments/quantity"); nothing was recorded.
        ApiError: as for `submit`.
    """
    return Request(
        "POST",
        path("runs"),
        lambda answer: parsed(SubmittedAll, answer.content, answer).runs,
        content=as_json({"runs": [_batched(each, at) for at, each in enumerate(batch)]}),
        headers=made(key, traceparent),
    )


def submit_and_wait(request: Request[Submitted], wait_s: float) -> Request[RunStanding | Submitted]:
    """A `submit` that is answered when the run has ended, or with its id when the time is over."""

    def read(answer: httpx.Response) -> RunStanding | Submitted:
        kind: type[Any] = RunStanding if answer.status_code == _OK else Submitted
        return cast("RunStanding | Submitted", parsed(kind, answer.content, answer))

    whole = Request("POST", request.path, read, content=request.content, headers=request.headers)
    return with_wait(whole, wait_s)


def run(run: str | OfRun) -> Request[RunStanding]:
    """How a run stands, and why it waits; its arguments are masked.

    Raises:
        NotFound: there is no such run (any more).
    """
    return Request("GET", path("runs", checked(run, "run")), reads(RunStanding))


def runs(
    *,
    status: str | Sequence[str] = (),
    action: str = "",
    conversation: str | OfConversation = "",
    queue: str = "",
    principal: str = "",
    since: datetime | None = None,
    before: datetime | None = None,
    limit: int | None = None,
) -> Paging[RunStanding]:
    """The runs that there are, newest first, as many pages as it takes.

    Args:
        status: only those of this status, or of one of these.
        action: only those of this action.
        conversation: only those of this conversation.
        queue: only those of this queue.
        principal: only those on behalf of this principal.
        since: only those that were recorded then or later.
        before: only those that were recorded earlier than this.
        limit: at most so many; None: all.
    """
    params = query(
        status=status, action=action, conversation=id_of(conversation, "conv"), queue=queue, principal=principal,
        since=since, before=before, limit=_PAGE,
    )  # fmt: skip
    return Paging(Request("GET", path("runs"), reads(Runs), params), lambda page: page.runs, limit)


def run_body(
    action: str,
    arguments: Mapping[str, Any] | None = None,
    delay: Length | None = None,
    deadline: Length | datetime | None = None,
    retry: Retry | int | None = None,
    timeout: Length | None = None,
) -> dict[str, Any]:
    """One call as the service reads it: durations as text, what was not given left out."""
    policy: object = retry
    if isinstance(retry, Retry):
        policy = {
            "retries": retry.retries,
            "initial": span(retry.initial),
            "factor": retry.factor,
            "cap": span(retry.cap),
        }
    given = {
        "action": action,
        "arguments": None if arguments is None else dict(arguments),
        "delay": None if delay is None else span(delay),
        "deadline": deadline if deadline is None or isinstance(deadline, datetime) else span(deadline),
        "retry": policy,
        "timeout": None if timeout is None else span(timeout),
    }
    return {name: value for name, value in given.items() if value is not None}


def _batched(each: SubmitRun | Mapping[str, Any], at: int) -> dict[str, Any]:
    if isinstance(each, BaseModel):
        return each.model_dump(mode="json", exclude_none=True)
    try:
        return run_body(**each)
    except TypeError as error:
        raise DeclarationError(f"submission {at}: {error}".replace("run_body() ", "")) from None

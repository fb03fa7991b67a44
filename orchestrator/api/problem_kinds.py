"""What can go wrong with a request, as data: a stable code to its HTTP status, its title and what it means.

Codes of our own errors (`actions.errors`) are the same here, with what their class says of itself; a code may gain a
status, it never changes one. The table is what `GET /problems/<code>` answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from inspect import getdoc
from typing import Final

from actions import errors

UNPROCESSABLE: Final = 422


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem."""

    status: int
    """The HTTP status of its answers."""
    title: str
    """A few words for people, the same each time."""
    meaning: str
    """What it means, and what to do."""


_OF_THE_API: Final = {
    "malformed_json": Kind(400, "Malformed JSON", "The body is no JSON: cut off, not UTF-8, too deep, or with NaN."),
    "bad_request": Kind(400, "Bad request", "The request cannot be read as HTTP should be."),
    "unauthorised": Kind(
        401,
        "No valid key",
        "Send `Authorization: Bearer umb_<id>_<secret>`, once. The service's operator makes keys with "
        "`umbel keys create`; `umbel up` keeps one in the file api-key of its folder.",
    ),
    "forbidden": Kind(403, "Not for this key", "The key has not the scope that this needs; `umbel keys create`."),
    "not_yours": Kind(
        403, "Not yours", "It belongs to another principal, or has permissions that the key has not; see the detail."
    ),
    "not_found": Kind(404, "Not found", "There is nothing here: it never was, its time was over, or it is not yours."),
    "method_not_allowed": Kind(405, "Method not allowed", "The header Allow says which methods there are."),
    "request_timeout": Kind(408, "Too slow", "The body did not arrive in time; nothing was done."),
    "undoing": Kind(409, "Being undone", "A failed chain is being taken back, which nothing stops."),
    "no_chain": Kind(409, "No chain", "The calls of its newest round are no chain, so there is nothing to interrupt."),
    "changed": Kind(409, "Changed", "It asks for something else than the digest says: look at it again."),
    "decided": Kind(409, "Not waiting", "It waits for no approval (any more), or somebody has decided otherwise."),
    "not_dead": Kind(409, "Not dead", "It did not end dead, failed or timed out, or it was discarded."),
    "not_stuck": Kind(409, "Not stuck", "No undo of this run rests as failed."),
    "too_large": Kind(413, "Too large", "The body is longer than UMBEL_API_BODY_CAP allows; nothing was done."),
    "unsupported_media_type": Kind(415, "Unsupported media type", "Send JSON as application/json."),
    "validation": Kind(422, "Not as described", "`errors` says what is wrong where, openapi.json what is right."),
    "no_model": Kind(422, "No model", "No model is configured here (UMBEL_MODEL_URL), so none can lead a turn."),
    "rate_limited": Kind(429, "Too many requests", "The key asks more often than it may; wait for Retry-After."),
    "too_many_streams": Kind(429, "Too many streams", "This process serves as many event streams as it can."),
    "headers_too_large": Kind(431, "Headers too large", "The request line and its headers are longer than 32 KiB."),
    "internal": Kind(500, "Failed", "The service failed; its log knows more, under the request id."),
    "not_ready": Kind(503, "Not ready", "Something that requests need is missing; `checks` says what."),
    "draining": Kind(503, "Stopping", "This process is being stopped; ask again, another one may answer."),
}  # fmt: skip

_STATUS: Final = {
    "unknown_record": 404,
    "unknown_conversation": 404,
    "forbidden_action": 403,
    "conversation_busy": 409,
    "store_unavailable": 503,
    "store_refused": 503,
    "lease_lost": 503,
    "unreadable_record": 500,
    "config": 503,
    "operator": 500,
    "port_in_use": 500,
    "error": 500,
}
"""Statuses of our own errors; those of all others are 422: what was sent cannot be done."""


def _ours() -> dict[str, Kind]:
    """A kind for each class of error that has a code of its own."""
    kinds: dict[str, Kind] = {}
    for name in errors.__all__:
        known = getattr(errors, name)
        if isinstance(known, type) and issubclass(known, errors.UmbelError) and known.code not in kinds:
            meaning = " ".join((getdoc(known) or "").split())
            title = known.code.replace("_", " ").capitalize()
            kinds[known.code] = Kind(_STATUS.get(known.code, UNPROCESSABLE), title, meaning)
    return kinds


_SAID_OTHERWISE: Final = {
    "store_unavailable": Kind(503, "Store unavailable", "Redis is away, or full; ask again after Retry-After."),
    "store_refused": Kind(503, "Store refused", "Redis said no: the service's operator has to look."),
    "config": Kind(503, "Not set up here", "This process lacks what others have: its operator has to look."),
    "declaration": Kind(422, "Not possible", "What was asked for does not fit together; the detail says what."),
}  # fmt: skip
"""Where our own errors are worded for who runs the service, and not for who asks it."""

KINDS: Final[dict[str, Kind]] = _ours() | _SAID_OTHERWISE | _OF_THE_API
"""By code."""


def kind_of(code: str, otherwise: str) -> tuple[str, Kind]:
    """The code and its kind; for a code that is not in the table, the other one."""
    known = code if code in KINDS else otherwise
    return known, KINDS[known]

"""A model's reply in any known form in, a `Reply` out; it never raises on content and never runs a guess.

Raw bytes or text are first tried as a provider's stream or body; a text that is none is read as prose. A provider's
reply without tool calls has its text read as prose too, for that is how replies with calls in prose arrive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, cast

from actions.messages import CallError, Reply
from actions.short import seen, within
from actions.strict_json import SPACE, Unreadable, clean, decode, is_object
from orchestrator.intake import names, provider_errors, streaming
from orchestrator.intake.calls import call
from orchestrator.intake.cutting import certain
from orchestrator.intake.dialects import DIALECTS
from orchestrator.intake.draft import Draft, Unusable
from orchestrator.intake.formats import BODIES
from orchestrator.intake.formats.body import BodyFormat
from orchestrator.intake.names import ARGUMENTS, TEXT, Wanted
from orchestrator.intake.prose import sweep
from orchestrator.intake.strict import cut_off, too_deep

MAX_BODY: Final = 10 * 1024 * 1024
"""Bytes of a raw reply (characters, where it comes as text)."""
MAX_BODY_DEPTH: Final = 256
"""Objects and lists inside each other in a whole body; the arguments of a call may have 64."""

_TOOL: Final = "tool"

_OBJECT: Final = re.compile(r'\s*+\{\s*+"')
"""What the text of an object begins with; other braces are prose."""

Body = dict[str, Any] | list[Any]
Raw = str | bytes | dict[str, Any] | list[Any]


def read(raw: Raw, format: str | None = None, dialects: Iterable[str] | None = None) -> Reply:  # noqa: A002
    """Read a reply.

    Args:
        raw: a provider's response as JSON text, as bytes or already parsed; its stream as text, or as a list of
            events or of their `data:` payloads; or the model's text itself.
        format: one of `names.KNOWN`; None to find out. An unknown name is an error, never a default.
        dialects: names of the dialects in which calls may stand in a text; None: all.

    Returns:
        The calls in order (malformed ones in their places, with their error), the visible text, and all
        that was wrong. A reply that cannot be used at all has no calls and one error: `unknown_format`,
        `too_large`, `too_deep`, `invalid_utf8`, `not_json`, `unexpected_body` or `provider_error`.
    """
    try:
        return _read(raw, names.wanted(format, dialects))
    except Unusable as error:
        return failed(error.code, str(error))
    except RecursionError:
        return failed("too_deep", f"The body is nested more than {MAX_BODY_DEPTH} levels deep.")


def read_text(text: str, dialects: Iterable[str] | None = None) -> Reply:
    """Read a text that a model wrote, for calls in prose only: it is never taken for a provider's body."""
    try:
        _refuse_large(text)
        return from_prose(Draft(text=text), TEXT, names.wanted(None, dialects))
    except Unusable as error:
        return failed(error.code, str(error))


def parse(raw: bytes) -> dict[str, Any] | list[Any] | str:
    """What `read` takes, of bytes that are said to be JSON: a body, or a text that came as a JSON string.

    Raises:
        Unusable: they are no JSON, or no value that a reply could be.
    """
    try:
        value = _json_in(_decoded(raw))
    except RecursionError:
        raise Unusable("too_deep", f"The body is nested more than {MAX_BODY_DEPTH} levels deep.") from None
    if not isinstance(value, dict | list | str):
        raise Unusable("unexpected_body", "A reply is an object, a list or a text.")
    return cast("Body | str", value)


def unusable(reply: Reply) -> CallError | None:
    """Return the error that is all there is in a reply: nothing in it that a conversation could hold.

    Text that began as a provider's body and broke off is no answer either, though it is text.
    """
    if reply.calls or not reply.errors:
        return None
    broken = next((error for error in reply.errors if error.code == "not_json"), None)
    return broken or (None if reply.text else reply.errors[0])


def from_prose(known: Draft, name: str, wanted: Wanted) -> Reply:
    """Read the text of a draft for calls in prose; what else the draft knows is kept."""
    draft, found = sweep(known.text, wanted.dialects)
    if known.cut:
        draft.calls = certain(draft.calls, known.text, wanted.dialects)
    if wanted.dialects and not draft.calls and _is_broken_body(known.text):
        draft.complain("not_json", "The reply begins as a JSON object and ends before the object does.")
    draft.provider_calls = [*known.provider_calls, *draft.provider_calls]
    draft.errors = [*known.errors, *draft.errors]
    return draft.reply(found.name if found else name, continues=found is not None and found.continues)


def finished(draft: Draft, form: Any, wanted: Wanted) -> Reply:
    """Make the reply of what a body or stream held; without calls of its own its text is read as prose."""
    if draft.calls or not form.continues:
        draft.text = sweep(draft.text, ())[0].text if draft.text else ""
        return draft.reply(form.name, continues=form.continues)
    return from_prose(draft, form.name, wanted)


def _is_broken_body(text: str) -> bool:
    return _OBJECT.match(text) is not None and cut_off(text)


def _read(raw: Any, wanted: Wanted) -> Reply:
    if isinstance(raw, str | bytes | bytearray | memoryview):
        return _from_text(_decoded(raw), wanted)
    if not isinstance(raw, dict | list):
        raise Unusable("unexpected_body", "A reply is an object, a list or a text.")
    reply = _from_body(cast("Body", raw), wanted)
    if reply is None:
        raise _unknown_shape()
    return reply


def _unknown_shape() -> Unusable:
    return Unusable("unexpected_body", f"The body has the shape of none of {', '.join(BODIES)}.")


def _decoded(raw: str | bytes | bytearray | memoryview) -> str:
    _refuse_large(raw)
    if isinstance(raw, str):
        return raw.removeprefix("\ufeff")
    try:
        return str(raw, "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable("invalid_utf8", f"The reply is not UTF-8, at byte {error.start}.") from None


def _refuse_large(raw: str | bytes | bytearray | memoryview) -> None:
    if len(raw) > MAX_BODY:
        raise Unusable("too_large", f"The reply is larger than {MAX_BODY} bytes.")


def _from_text(text: str, wanted: Wanted) -> Reply:
    if wanted.name == ARGUMENTS:
        return Draft(calls=[call(_TOOL, text)]).reply(ARGUMENTS, continues=True)
    if wanted.name != TEXT and (events := streaming.events_in(text)) is not None:
        reply = _from_events(events, wanted)
        if reply is not None:
            return reply
    body = _body_in(text, needed=wanted.wire)
    if body is not None and wanted.name != TEXT:
        reply = _from_body(body, wanted)
        if reply is not None:
            return reply
        if wanted.wire:
            raise _unknown_shape()
    return from_prose(Draft(text=text), wanted.name or TEXT, wanted)


def _body_in(text: str, *, needed: bool) -> Body | None:
    """The object or list that the whole text is; None if it is something else (which `needed` forbids)."""
    if text.lstrip(SPACE)[:1] not in {"{", "["}:
        if needed:
            raise Unusable("not_json", "The reply is not JSON: it begins with neither { nor [.")
        return None
    try:
        return cast("Body", _json_in(text))
    except Unusable as error:
        if needed or error.code != "not_json":
            raise
        return None


def _json_in(text: str) -> Any:
    """The value that the whole text is."""
    if too_deep(text, MAX_BODY_DEPTH):
        raise Unusable("too_deep", f"The body is nested more than {MAX_BODY_DEPTH} levels deep.")
    try:
        return decode(text)
    except Unreadable as error:
        raise Unusable("not_json", f"The reply is not JSON: {error}.") from None


def _from_events(events: list[Any], wanted: Wanted) -> Reply | None:
    """Read a stream; None if no stream has such events."""
    found = streaming.assembled(events, wanted.stream)
    return None if found is None else finished(*found, wanted)


def _from_body(body: Body, wanted: Wanted) -> Reply | None:
    """Read a body; None if it has none of the shapes that were asked for."""
    if (wanted.name is None or wanted.wire) and (error := provider_errors.found_in(body)) is not None:
        raise Unusable("provider_error", error)
    if isinstance(body, list):
        reply = _from_events(body, wanted)
        return reply if reply is not None or wanted.wire else _from_list(body, wanted)
    form = _form_of(body, wanted)
    if (form is None and wanted.name is None) or (wanted.wire and not (form and form.matches(body))):
        reply = _from_events([body], wanted)  # one event of a stream by itself
        if reply is not None:
            return reply
    if form is not None:
        return finished(form.read(body), form, wanted)
    if is_object(body.get("error")) and (error := provider_errors.beside(body)) is not None:
        raise Unusable("provider_error", error)
    return None


def _form_of(body: dict[str, Any], wanted: Wanted) -> BodyFormat | None:
    """The format to read a body with: the one that was asked for, or the first whose shape it has."""
    if wanted.wire:
        return wanted.body
    return next((form for form in BODIES.values() if _may_be(form, wanted) and form.matches(body)), None)


def _may_be(form: BodyFormat, wanted: Wanted) -> bool:
    """Calls in prose may come inside any provider's body; what is a dialect too counts where that is looked for."""
    return form.name not in DIALECTS or DIALECTS[form.name] in wanted.dialects


def _from_list(body: list[Any], wanted: Wanted) -> Reply | None:
    """Read a list of objects, of which each asks for an action."""
    for form in BODIES.values():
        if form.lists and _may_be(form, wanted):
            draft = form.read(cast("dict[str, Any]", body))
            if draft.calls:
                return draft.reply(form.name, continues=form.continues)
    return None


def failed(code: str, message: str) -> Reply:
    """A reply of which nothing can be used, and why."""
    return Reply(format=TEXT, errors=(CallError(code=code, message=within(seen(clean(message)))),))

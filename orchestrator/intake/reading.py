"""A model's reply in any known form in, a `Reply` out; it never raises on content and never runs a guess.

Raw bytes or text are first tried as a JSON body; a text that is none is read as prose. A provider's body
without tool calls has its text read as prose too, for that is how replies with calls in prose arrive.
"""

from __future__ import annotations

from typing import Any, Final, cast

from actions.messages import CallError, Reply
from orchestrator.intake.draft import Draft, Unusable
from orchestrator.intake.formats import BODIES, KNOWN, PROSE, TEXT
from orchestrator.intake.formats.body import BodyFormat
from orchestrator.intake.prose import ProseFormat, sweep
from orchestrator.intake.strict import SPACE, Unreadable, clean, cut_off, decode, too_deep

MAX_BODY: Final = 10 * 1024 * 1024
"""Bytes of a raw reply (characters, where it comes as text)."""
MAX_BODY_DEPTH: Final = 256
"""Objects and lists inside each other in a whole body; the arguments of a call may have 64."""

Body = dict[str, Any] | list[Any]


def read(raw: str | bytes | dict[str, Any] | list[Any], format: str | None = None) -> Reply:  # noqa: A002
    """Read a reply.

    Args:
        raw: a provider's response as JSON text, as bytes or already parsed; or the model's text itself.
        format: one of `formats.KNOWN`; None to find out. An unknown name is an error, never a default.

    Returns:
        The calls in order (malformed ones in their places, with their error), the visible text, and all
        that was wrong. A reply that cannot be used at all has no calls and one error: `unknown_format`,
        `too_large`, `too_deep`, `invalid_utf8`, `not_json`, `unexpected_body` or `provider_error`.
    """
    try:
        return _read(raw, _known(format))
    except Unusable as error:
        return _failed(error.code, str(error))
    except RecursionError:
        return _failed("too_deep", f"The body is nested more than {MAX_BODY_DEPTH} levels deep.")


def read_text(text: str) -> Reply:
    """Read a text that a model wrote, for calls in prose only: it is never taken for a provider's body."""
    try:
        _refuse_large(text)
        return _from_prose(text, tuple(PROSE.values()), TEXT)
    except Unusable as error:
        return _failed(error.code, str(error))


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


def _known(format: Any) -> str | None:  # noqa: A002 - the parameter's name
    if format is None:
        return None
    name = format.strip().lower() if isinstance(format, str) else ""
    if name not in KNOWN:
        shown = clean(str(format)[:80]) if isinstance(format, str) else type(format).__name__
        raise Unusable("unknown_format", f"No format is named {shown!r}. Known: {', '.join(KNOWN)}.")
    return name


def _read(raw: Any, wanted: str | None) -> Reply:
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


def _from_text(text: str, wanted: str | None) -> Reply:
    body = _body_in(text, needed=wanted in BODIES and wanted not in PROSE)
    if body is not None and wanted != TEXT:
        reply = _from_body(body, wanted)
        if reply is not None:
            return reply
        if wanted in BODIES and wanted not in PROSE:
            raise _unknown_shape()
    formats = tuple(PROSE.values()) if wanted is None else (PROSE[wanted],) if wanted in PROSE else ()
    return _from_prose(text, formats, wanted or TEXT)


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


def _from_body(body: Body, wanted: str | None) -> Reply | None:
    """Read a body; None if it has none of the shapes that were asked for."""
    if isinstance(body, list):
        return None if wanted not in {None, "eliza.json"} else _from_list(body)
    refuse_error(body)
    form = _form_of(body, wanted)
    if form is None:
        return None
    draft = form.read(body)
    if draft.calls or not form.continues:
        draft.text = sweep(draft.text, ())[0].text if draft.text else ""
        return draft.reply(form.name, continues=form.continues)
    only = (PROSE[wanted],) if wanted in PROSE else () if wanted == TEXT else tuple(PROSE.values())
    return _from_prose(draft.text, only, form.name, draft)


def _form_of(body: dict[str, Any], wanted: str | None) -> BodyFormat | None:
    """The format to read a body with: the one that was asked for, or the first whose shape it has."""
    if wanted in BODIES and wanted not in PROSE:
        return BODIES[wanted]
    return next((form for form in BODIES.values() if _may_be(form, wanted) and form.matches(body)), None)


def _may_be(form: BodyFormat, wanted: str | None) -> bool:
    """Calls in prose may come inside any provider's body, but not inside another prose format's."""
    return wanted is None or form.continues or form.name == wanted


def _from_list(body: list[Any]) -> Reply | None:
    form = BODIES["eliza.json"]
    draft = form.read(cast("dict[str, Any]", body))
    return draft.reply(form.name, continues=False) if draft.calls else None


def refuse_error(body: dict[str, Any]) -> None:
    """Raise `Unusable` if a provider says in place of a reply what went wrong."""
    error = body.get("error")
    if body.get("object") == "error":  # vLLM and Mistral put it flat into the body
        error = error or body
    if not error or "choices" in body or "content" in body:
        return
    known = cast("dict[str, Any]", error) if isinstance(error, dict) else {"message": error}
    told = [
        str(known[key])[:300] for key in ("type", "code", "message") if isinstance(known.get(key), str | int)
    ]
    raise Unusable(
        "provider_error", f"The provider answered with an error: {': '.join(told) or 'no reason given'}"
    )


def _from_prose(text: str, formats: tuple[ProseFormat, ...], name: str, known: Draft | None = None) -> Reply:
    draft, found = sweep(text, formats)
    if formats and not draft.calls and text.lstrip(SPACE).startswith("{") and cut_off(text):
        draft.complain("not_json", "The reply begins as a JSON object and ends before the object does.")
    if known is not None:
        draft.provider_calls = known.provider_calls
        draft.errors = [*known.errors, *draft.errors]
    return draft.reply(found or name, continues=False)


def _failed(code: str, message: str) -> Reply:
    return Reply(format=TEXT, errors=(CallError(code=code, message=clean(message)),))

"""Gemini generateContent: parts of the first candidate, of which texts are shown and `functionCall` is a call.

Calls mostly have no id, and no `args` means `{}`. Thoughts are not shown; `executableCode` ran at the provider. A
finish reason that speaks of a bad call is an error (malformed_call) beside whatever is there; a prompt or an answer
that was blocked is one too (provider_error).
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_object
from orchestrator.intake.calls import broken
from orchestrator.intake.draft import Draft, Unusable
from orchestrator.intake.formats.body import BodyFormat, refuse_repeated
from orchestrator.intake.formats.pieces import (
    MAX_SHOWN,
    Pieces,
    broke_off,
    first_of,
    listed,
    ran,
    word,
    written,
)

BAD_CALL: Final = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
    }
)
"""Finish reasons of a reply in which a call went wrong."""
WHOLE: Final = frozenset({"", "STOP", "FINISH_REASON_UNSPECIFIED"})
"""Finish reasons of a reply whose text was not cut off."""
_HOSTED: Final = {
    "executableCode": "executableCode",
    "executable_code": "executableCode",
    "toolCall": "toolCall",
}
"""The parts of tools that the provider runs, and what they are called."""
_CANDIDATE: Final = ("content", "finishReason", "finish_reason", "finishMessage")


def matches(body: dict[str, Any]) -> bool:
    """Whether this is a list of candidates, or the word that the prompt was blocked."""
    body = inside(body)
    if (first := first_of(body.get("candidates"))) is not None:
        content = first.get("content")
        if is_object(content):
            return "parts" in content or content.get("role") == "model"
        return "finishReason" in first or "finish_reason" in first
    return is_object(body.get("promptFeedback")) or ("usageMetadata" in body and "modelVersion" in body)


def read(body: dict[str, Any]) -> Draft:
    """Read the parts of the first candidate."""
    body = inside(body)
    refuse_repeated(body, "candidates")
    candidates, draft = listed(body.get("candidates")), Draft()
    if not candidates:
        _note_block(body, draft)
        return draft
    if (first := first_of(candidates)) is None:
        raise Unusable(
            "unexpected_body", "The body is no answer of Gemini: its first candidate is not an object."
        )
    refuse_repeated(first, *_CANDIDATE)
    finish = word(either(first, "finishReason", "finish_reason"))
    draft.cut = broke_off(draft, body) or finish not in WHOLE
    _note_parts(first.get("content"), draft, cut=finish == "MAX_TOKENS")
    note_finish(finish, either(first, "finishMessage", "finish_message"), draft)
    return draft


def note(part: Any, draft: Draft, pieces: Pieces, *, cut: bool = False) -> None:
    """Add what a part says; `cut`: the reply was cut off in it."""
    if not is_object(part):
        draft.complain("unexpected_body", "A part of the content is not an object.")
        return
    asked = either(part, "functionCall", "function_call")
    if asked is None and part.get("thought") is True:
        return
    if isinstance(part.get("text"), str):
        pieces.add(part["text"])
        return
    pieces.part()
    if is_object(asked):
        half = cut or asked.get("willContinue") is True
        draft.calls.append(
            written(asked.get("name"), asked.get("args"), asked.get("id"), asked, part, cut=half)
        )
    elif asked is not None:
        draft.calls.append(broken("", "its functionCall is not an object"))
    for key, name in _HOSTED.items():
        if key in part:
            ran(draft, name)


def note_finish(finish: str, message: Any, draft: Draft) -> None:
    """Note what a finish reason says to be wrong."""
    told = f"{finish}: {word(message)[:MAX_SHOWN]}" if word(message) else finish
    if finish in BAD_CALL:
        draft.complain("malformed_call", f"The provider found a bad call in the reply ({told}).")
    elif finish not in {*WHOLE, "MAX_TOKENS"} and not (draft.calls or draft.text or draft.errors):
        draft.complain("provider_error", f"The provider stopped the reply: {told}")


def inside(body: dict[str, Any]) -> dict[str, Any]:
    """The answer itself, where it is wrapped into an envelope."""
    inner = body.get("response")
    return inner if is_object(inner) and "candidates" in inner and "candidates" not in body else body


def either(value: dict[str, Any], *keys: str) -> Any:
    """What stands under the first of these keys that holds something."""
    return next((value[key] for key in keys if value.get(key) is not None), None)


def _note_parts(content: Any, draft: Draft, *, cut: bool) -> None:
    if not is_object(content):
        return
    refuse_repeated(content, "parts")
    parts, pieces = listed(content.get("parts")), Pieces()
    for place, part in enumerate(parts):
        note(part, draft, pieces, cut=cut and place == len(parts) - 1)
        if draft.full:
            break
    draft.text = pieces.joined()


def _note_block(body: dict[str, Any], draft: Draft) -> None:
    feedback = either(body, "promptFeedback", "prompt_feedback")
    if is_object(feedback) and (reason := word(either(feedback, "blockReason", "block_reason"))):
        told = word(feedback.get("blockReasonMessage"))
        draft.complain(
            "provider_error",
            f"The provider blocked the prompt: {f'{reason}: {told}' if told else reason}"[:MAX_SHOWN],
        )
    elif "candidates" not in body and "usageMetadata" not in body:
        raise Unusable("unexpected_body", "The body is no answer of Gemini: it has no candidates.")


BODY: Final = BodyFormat(name="gemini.generateContent", matches=matches, read=read, continues=True)

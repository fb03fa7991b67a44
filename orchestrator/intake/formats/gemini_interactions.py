"""Gemini Interactions: steps, of which what the model put out is shown and `function_call` is a call.

Every other `..._call` step is a tool that the provider ran: it is named by its type. Thoughts are not shown, nor is
what the user had put in. Older answers list the contents themselves under `outputs`.
"""

from __future__ import annotations

from typing import Any, Final

from actions.strict_json import is_list, is_object
from orchestrator.intake.draft import Draft, Unusable
from orchestrator.intake.formats.body import BodyFormat, refuse_repeated
from orchestrator.intake.formats.pieces import Pieces, broke_off, ids_in, listed, ran, word, written

ENDED: Final = {"failed": "it failed", "cancelled": "it was cancelled"}
"""Statuses of an interaction that the provider did not finish."""
CUT: Final = frozenset({"incomplete", "in_progress", *ENDED})
"""Statuses of an interaction whose last step may be half of what was meant."""
_STEPS: Final = frozenset({"model_output", "thought", "function_call", "user_input"})


def matches(body: dict[str, Any]) -> bool:
    """Whether this is an interaction."""
    found = _steps(body)
    if found is None:
        return False
    if body.get("object") == "interaction":
        return True
    kinds = {word(one.get("type")) for one in found if is_object(one)}
    return isinstance(body.get("status"), str) and not kinds.isdisjoint(_STEPS)


def read(body: dict[str, Any]) -> Draft:
    """Read the steps in order."""
    refuse_repeated(body, "steps", "outputs")
    steps = _steps(body)
    if steps is None:
        raise Unusable("unexpected_body", "The body is no interaction: its steps are not a list.")
    draft, pieces, status = Draft(), Pieces(), word(body.get("status"))
    results = (one for one in steps if is_object(one) and one.get("type") == "function_result")
    done = ids_in(results, "call_id")
    failed = broke_off(draft, body)
    draft.cut = failed or status in CUT
    for place, step in enumerate(steps):
        note(step, draft, pieces, cut=draft.cut and place == len(steps) - 1, done=done)
        if draft.full:
            break
    draft.text = pieces.joined()
    if status in ENDED and not failed:
        draft.complain("provider_error", f"The provider did not finish the interaction: {ENDED[status]}.")
    return draft


def note(
    step: Any, draft: Draft, pieces: Pieces, *, cut: bool = False, done: frozenset[str] = frozenset()
) -> None:
    """Add what a step says; `cut`: the reply was cut off in it; `done`: ids of calls that have their results."""
    if not is_object(step):
        draft.complain("unexpected_body", "A step is not an object.")
        return
    kind, id = word(step.get("type")), step.get("id")  # noqa: A001 - the wire's word
    if kind == "text":
        pieces.add(step.get("text"))
        return
    pieces.part()
    if kind == "model_output":
        for part in listed(step.get("content")):
            if is_object(part) and part.get("type") == "text":
                pieces.add(part.get("text"))
        pieces.part()
    elif kind == "function_call" and word(id) not in done:
        draft.calls.append(written(step.get("name"), step.get("arguments"), id, step, cut=cut))
    elif kind.endswith("_call"):
        ran(draft, kind)


def _steps(body: dict[str, Any]) -> list[Any] | None:
    found = body["steps"] if "steps" in body else body.get("outputs")
    return found if is_list(found) else None


BODY: Final = BodyFormat(name="gemini.interactions", matches=matches, read=read, continues=True)

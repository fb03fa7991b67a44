"""Lines of the audit: who asked for what, on whose behalf, with which arguments, and what was decided by what.

In: a call that was planned, a submission that was refused, or a person's decision. Out: a flat JSON object that the
store appends; it adds the time, and a line of its own when the run ends. No line holds what an action does not show:
arguments are masked, results and the texts of errors are left out, names that a model wrote are cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import PydanticSerializationError, to_json

from actions.messages import mended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.definition import Action
    from actions.messages import Payload

ALLOWED: Final = "allowed"
"""`decided` of a call that nothing forbids: it runs when its turn comes."""
ASKS: Final = "approval"
"""`decided` of a call that a person has to approve first."""

_LONGEST: Final = 120
"""Characters of a name, an id or a reason that are kept: a line is no place for a model's essays."""


def audit_line(
    run_id: str,
    action: Action | None,
    payload: Payload,
    tenant: str,
    conversation: str | None,
    decided: str,
) -> str:
    """Return the line of a call that was planned, refused ones too.

    Args:
        run_id: its run.
        action: what it was resolved to; None if no action answers to its name.
        payload: the call, and on whose behalf it was made.
        tenant: whose share of the workers it uses.
        conversation: where it belongs, if it does.
        decided: `ALLOWED`, `ASKS`, or the code of the refusal.
    """
    return _text(
        {
            "run": run_id,
            "what": "asked",
            "action": action.name if action else "",
            "called": _short(payload.called or payload.action),
            "by": _short(payload.principal or ""),
            "tenant": tenant,
            "conversation": conversation or "",
            "arguments": masked(action, payload.arguments),
            "decided": decided,
        }
    )


def line(run_id: str, what: str, *, by: str, **more: Any) -> dict[str, Any]:
    """Return the line of something that was done to a run; what is None is left out.

    Args:
        run_id: the run it was done to.
        what: the deed, in one word.
        by: who did it.
        more: what else is to be known of it; nothing that must not be seen.
    """
    told = {"run": run_id, "what": what, "by": by, **more}
    cut = {name: _short(value) if isinstance(value, str) else value for name, value in told.items()}
    return {name: mended(value) for name, value in cut.items() if value is not None}


def masked(action: Action | None, arguments: Mapping[str, Any] | None) -> dict[str, str]:
    """Return arguments as the action shows them; of an unknown action's only how many there are."""
    if action is not None:
        return action.masked(arguments)
    return {"unknown keys": str(len(arguments))} if arguments else {}


def _text(told: Mapping[str, Any]) -> str:
    try:
        return to_json(told).decode()
    except PydanticSerializationError:  # half a surrogate pair in some text: no UTF-8 has it
        return to_json(mended(told)).decode()


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"

"""Eliza's JSON as a whole body: `{"user": ..., "text": ..., "action": NAME}`, or a list of such objects.

Which objects ask for actions stands in `intake.objects`; inside a text they are the dialect of the same name.
"""

from __future__ import annotations

from typing import Any, Final

from orchestrator.intake.draft import Draft
from orchestrator.intake.formats.body import BodyFormat
from orchestrator.intake.objects import asks_by_action, calls_in, text_in


def _matches(body: dict[str, Any]) -> bool:
    calls = calls_in(body, alone=True) if asks_by_action(body) else None
    if calls is None:
        return "user" in body and text_in(body) is not None
    return bool(calls) or text_in(body) is not None


def _read_body(body: dict[str, Any] | list[Any]) -> Draft:
    calls = calls_in(body, alone=True) if asks_by_action(body) else None
    return Draft(text=text_in(body) or "", calls=calls or [])


BODY: Final = BodyFormat(name="eliza.json", matches=_matches, read=_read_body, continues=False, lists=True)
